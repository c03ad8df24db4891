/** `posternd rotate`: a user's next key, while the one that he has still opens for a while. */
import { withOldKeys, withUser } from '../../config/change-users.js'
import type { ServerConfig } from '../../config/types.js'
import type { UserId } from '../../wire/ids.js'
import type { Command } from '../command.js'
import { wholeSeconds } from '../duration.js'
import { EXIT } from '../exit.js'
import { textOf } from '../options.js'
import { UsageError } from '../usage.js'
import { changeConfig, reloadDaemon, serverFileOf } from './change-config.js'
import { freshKey, keyHolder, oneUser } from './enroll.js'
import { checkHost, enrollLine, LINE_OPTIONS, nameOf, printLine } from './enroll-line.js'
import { CONFIG_OPTION, JSON_OPTION, RUN_DIR_OPTION } from './options.js'

/** Tokens that are in the kernel when the file is read live a minute and a half at most. */
const LEAST_OVERLAP_SECONDS = 300
const GREATEST_OVERLAP_SECONDS = 366 * 86_400
const MOST_OLD_KEYS = 8

export const rotate: Command = {
  name: 'rotate',
  positionals: 'USER',
  describe: 'give USER another key and print its line; the key that he has counts for --overlap more',
  options: [
    {
      name: 'overlap',
      value: 'TIME',
      describe: 'how long the old key counts: 5m–366d, or 0: from now on no more',
      preset: '7d',
    },
    ...LINE_OPTIONS,
    CONFIG_OPTION,
    RUN_DIR_OPTION,
    JSON_OPTION,
  ],
  examples: [
    ['posternd rotate alice', 'both keys count for seven days; her client takes the new line by postern add'],
    ['posternd rotate alice --overlap 0', 'her key was seen: it is dead at once, and so are her leases'],
  ],
  run: async (args, world) => {
    const word = oneUser('rotate', args)
    checkHost(args)
    const overlap = overlapOf(textOf(args, 'overlap') ?? '7d')
    const path = serverFileOf(args, world.env)
    const nowMs = world.outside.nowMs()
    let user: UserId | undefined
    const config = changeConfig(
      path,
      (text, before) => {
        user = keyHolder(word, before)
        const oldKeys = overlap === 0 ? [] : oldKeysOf(user, before, nowMs, nowMs + overlap * 1000)
        return withOldKeys(withUser(text, user, freshKey(world)), user, oldKeys)
      },
      (after) => enrollLine(user!, after, args),
    )
    const heard = await reloadDaemon(args, path)
    const until = new Date(Math.max(0, ...(config.oldKeys.get(user!) ?? []).map(({ untilMs }) => untilMs)))
    const old = overlap === 0 ? 'the old one is dead' : `the old one counts until ${until.toISOString().slice(0, 16)}Z`
    printLine(user!, config, args, world, [`${nameOf(user!, config)} has a new key in ${path}, ${old}; ${heard}`])
    return EXIT.ok
  },
}

function overlapOf(text: string): number {
  const seconds = wholeSeconds('--overlap', text, { least: 0, greatest: GREATEST_OVERLAP_SECONDS })
  if (seconds > 0 && seconds < LEAST_OVERLAP_SECONDS)
    throw new UsageError(`--overlap "${text}": expected 0, or 5m–366d, like 7d`)
  return seconds
}

/** The keys that still count, and that of today. None is given longer than it had. */
function oldKeysOf(user: UserId, { users, oldKeys }: ServerConfig, nowMs: number, untilMs: number) {
  const live = (oldKeys.get(user) ?? []).filter((old) => old.untilMs > nowMs)
  if (live.length >= MOST_OLD_KEYS)
    throw new UsageError(`he has ${live.length} old keys that still count: expected --overlap 0, which ends them all`)
  return [...live, { key: users.get(user)!, untilMs: Math.ceil(untilMs / 1000) * 1000 }]
}
