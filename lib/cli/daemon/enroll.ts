/** `posternd enroll`: a user gets a key, and the line with all that his client needs. */
import { freeId, type Named, userNamed, withResource, withUser } from '../../config/change-users.js'
import { quote } from '../../config/error.js'
import { loadServerConfig } from '../../config/files.js'
import type { ServerConfig } from '../../config/types.js'
import { userName } from '../../config/users.js'
import { formatId, type UserId } from '../../wire/ids.js'
import { KEY_BYTES } from '../../wire/spa-keys.js'
import type { Command, World } from '../command.js'
import { EXIT } from '../exit.js'
import { type Arguments, isGiven, textOf } from '../options.js'
import { UsageError } from '../usage.js'
import { changeConfig, reloadDaemon, serverFileOf } from './change-config.js'
import { checkHost, enrollLine, LINE_OPTIONS, nameOf, printLine } from './enroll-line.js'
import { CONFIG_OPTION, JSON_OPTION, RUN_DIR_OPTION } from './options.js'
import { resourceNamed } from './resource-named.js'

export const enroll: Command = {
  name: 'enroll',
  positionals: 'USER',
  describe: 'give USER (a name or an id) a key, and print the one line that postern add takes',
  options: [
    { name: 'name', value: 'NAME', describe: 'what to call him, where USER is an id' },
    {
      name: 'for',
      value: 'NAMES',
      describe: 'resources to let him open that are not for every user: names, ports or ids, by commas',
    },
    ...LINE_OPTIONS,
    { name: 'again', describe: 'print the line of a user who has a key; nothing is changed' },
    CONFIG_OPTION,
    RUN_DIR_OPTION,
    JSON_OPTION,
  ],
  examples: [
    ['posternd enroll alice --for ssh', 'a new key, and its line; she may open ssh'],
    ['posternd enroll alice --again --qr', 'her line once more, for a telephone'],
    ['ssh root@gate posternd enroll alice | postern add', 'from the client, where ssh is still open'],
  ],
  run: async (args, world) => {
    const word = oneUser('enroll', args)
    checkHost(args)
    const path = serverFileOf(args, world.env)
    if (isGiven(args, 'again')) {
      if (isGiven(args, 'for') || isGiven(args, 'name'))
        throw new UsageError('--again changes nothing: expected it without --for and --name')
      const config = loadServerConfig(path)
      printLine(keyHolder(word, config), config, args, world, [])
      return EXIT.ok
    }
    let user: UserId | undefined
    const config = changeConfig(
      path,
      (text, before) => {
        const wanted = newcomer(word, textOf(args, 'name'), before)
        user = wanted.user
        const names = textOf(args, 'for')?.split(',') ?? []
        const resources = names.map((name) => resourceNamed(name.trim(), before, '--for').id)
        const listed = resources.reduce((all, resource) => withResource(all, wanted.user, resource), text)
        return withUser(listed, user, freshKey(world), wanted.name)
      },
      (after) => enrollLine(user!, after, args),
    )
    const heard = await reloadDaemon(args, path)
    printLine(user!, config, args, world, [`${nameOf(user!, config)} has a key in ${path}; ${heard}`])
    return EXIT.ok
  },
}

/** The one user that the words name. Throws UsageError. */
export function oneUser(command: string, { positionals }: Arguments): string {
  const [word, ...more] = positionals
  if (word === undefined || word === '')
    throw new UsageError(`USER is missing: expected posternd ${command} alice, or an id like 00000002`)
  if (more.length > 0) throw new UsageError(`${quote(more[0]!)}: expected one USER: posternd ${command} ${word}`)
  return word
}

/** A user who has a key. Throws UsageError. */
export function keyHolder(word: string, config: ServerConfig): UserId {
  const named = userNamed(word, config)
  if (named.kind === 'misfit') throw new UsageError(`USER ${quote(word)}: expected ${named.expected}`)
  if (named.kind === 'known' && config.users.has(named.user)) return named.user
  refuseRemoved(named, config)
  const known = [...config.users.keys()].slice(0, 12).map((user) => nameOf(user, config))
  throw new UsageError(
    `USER ${quote(word)}: ${config.file} has no key of his (it has ${known.join(', ') || 'none'}): posternd enroll ${word} makes one`,
  )
}

/** An id of somebody who was removed stands for him in the log, whatever key it had. Throws UsageError. */
function refuseRemoved(named: Named, { removed, file }: ServerConfig): void {
  const who = named.kind === 'id' ? removed.get(named.user) : undefined
  if (who === undefined || named.kind !== 'id') return
  const id = formatId(named.user)
  const was = who.name === undefined ? '' : `${who.name}'s, who `
  throw new UsageError(
    `USER ${id}: it was ${was}was removed ${new Date(who.atMs).toISOString().slice(0, 10)}, and is not given again: ` +
      `expected a name, which gets a fresh id (or take its line out of [USERS] of ${file})`,
  )
}

/** A fresh key, 32 bytes. */
export function freshKey({ outside }: World): Uint8Array {
  return outside.random(KEY_BYTES)
}

/** Whom to make a key for. Throws UsageError where he has one. */
function newcomer(word: string, name: string | undefined, config: ServerConfig): { user: UserId; name?: string } {
  const named = userNamed(word, config)
  if (named.kind === 'misfit') throw new UsageError(`USER ${quote(word)}: expected ${named.expected}`)
  if (named.kind === 'known' && config.users.has(named.user))
    throw new UsageError(
      `${nameOf(named.user, config)} has a key: posternd rotate ${word} makes another one, posternd enroll ${word} --again prints his line`,
    )
  if (named.kind === 'name') {
    if (name !== undefined)
      throw new UsageError(`--name with a name for USER: expected one of them, or an id like 00000002`)
    return { user: freeId(config), name: word }
  }
  refuseRemoved(named, config)
  if (name === undefined) return { user: named.user }
  const reading = userName(name)
  if ('misfit' in reading) throw new UsageError(`--name ${reading.misfit}: expected ${reading.expected}`)
  const owner = userNamed(name, config)
  if (owner.kind === 'known') throw new UsageError(`--name ${name}: ${nameOf(owner.user, config)} has it`)
  return { user: named.user, name }
}
