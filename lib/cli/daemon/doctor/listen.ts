/** `posternd doctor --listen`: the user knocks, and this side says what is wrong with the knock. */
import { dirname, join } from 'node:path'
import type { ServerConfig } from '../../../config/types.js'
import { userWords } from '../../../daemon/called.js'
import { formatId, type UserId } from '../../../wire/ids.js'
import { keyCheck } from '../../../wire/key-check.js'
import { deriveKey } from '../../../wire/spa-keys.js'
import type { World } from '../../command.js'
import type { Report } from '../../finding.js'
import { overhear } from './overhear.js'
import { type Expected, judgeOverheard, type Overheard, withOne } from './overheard.js'

/** bin/posternd runs dist/programs/posternd.js, beside lib. */
const SCRIPT = join(dirname(process.argv[1] ?? ''), '../../lib/daemon/overhear.pl')

/** Until his knock comes, or the seconds are over. Throws FirewallError where it may not hear. */
export async function listenFor(
  user: UserId,
  config: ServerConfig,
  seconds: number,
  { printer }: Pick<World, 'printer'>,
): Promise<Report> {
  const expected = expectedOf(user, config, seconds)
  let heard: Overheard = {}
  await overhear(
    { script: SCRIPT, seconds },
    (datagram) => {
      heard = withOne(heard, datagram, expected)
      return heard.knock === undefined ? 'more' : 'enough'
    },
    () => printer.error(`posternd: listening for ${seconds} s: let ${expected.name} knock now`),
  )
  return judgeOverheard(heard, expected)
}

function expectedOf(user: UserId, { users, oldKeys, people, spa }: ServerConfig, seconds: number): Expected {
  const key = users.get(user)!
  const nowMs = Date.now()
  const older = (oldKeys.get(user) ?? []).filter(({ untilMs }) => untilMs > nowMs).map((old) => old.key)
  const { ports } = spa
  return {
    who: userWords(user, people.get(user)),
    name: people.get(user)?.name ?? formatId(user),
    sealKeys: [key, ...older].map((one) => deriveKey(one, spa.realm, 'seal')),
    keyCheck: keyCheck(key, spa.realm),
    windowMs: spa.windowMs,
    isHeardAt: (port) => ports === 'any' || ports.includes(port),
    place: ports === 'any' ? 'any UDP port' : `UDP port ${ports.join(', ')}`,
    seconds,
  }
}
