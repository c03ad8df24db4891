/** `posternd log`: the last knocks and refusals that the running daemon knows of, and what comes. */
import { ConfigError, quote } from '../../config/error.js'
import { loadServerConfig } from '../../config/files.js'
import { didYouMean } from '../../config/nearest.js'
import type { ServerConfig } from '../../config/types.js'
import { askControl, ControlError } from '../../daemon/control.js'
import { type KnockEvent, MOST_EVENTS } from '../../daemon/events.js'
import { formatId, parseId } from '../../wire/ids.js'
import type { Command } from '../command.js'
import { EXIT } from '../exit.js'
import { knownWords } from '../known.js'
import { type Arguments, isGiven, type Option, textOf } from '../options.js'
import { lineOrEnd } from '../print.js'
import { UsageError } from '../usage.js'
import { controlPathOf, JSON_OPTION, RUN_DIR_OPTION, refuseWords } from './options.js'
import { daemonStatus } from './status.js'
import { pause } from './watching.js'

const LOOK_MS = 300
const SHOWN = 20

const FOLLOW: Option = { name: 'follow', alias: 'f', describe: 'go on with what comes, until Ctrl-C' }
const LAST: Option = {
  name: 'last',
  alias: 'n',
  value: 'N',
  describe: 'how many of those before',
  preset: String(SHOWN),
}
const USER: Option = { name: 'user', alias: 'u', value: 'USER', describe: "only this user's: his id or his name" }
const REFUSED: Option = { name: 'refused', describe: 'only what was refused' }

export const log: Command = {
  name: 'log',
  positionals: '',
  describe: 'the last knocks and refusals of users with a key, and with --follow those to come',
  options: [FOLLOW, LAST, USER, REFUSED, JSON_OPTION, RUN_DIR_OPTION],
  examples: [
    ['posternd log --refused', 'who was refused, and why'],
    ['posternd log --follow --user alice', 'while she knocks'],
  ],
  run: async (args, { printer }) => {
    refuseWords(args)
    const path = controlPathOf(args)
    const isWanted = filterOf(args)
    const say = isGiven(args, 'follow') ? lineOrEnd : printer.line
    const show = (event: KnockEvent) => say(isGiven(args, 'json') ? JSON.stringify(event) : lineOf(event))
    const last = lastOf(args)
    const first = await ask(path, 0)
    const before = first.events.filter(isWanted)
    if (before.length === 0) await refuseStranger(path, args, first.events)
    for (const event of before.slice(Math.max(0, before.length - last))) show(event)
    if (!isGiven(args, 'follow')) {
      if (before.length === 0 && !isGiven(args, 'json')) printer.error(noneOf(first.count))
      return EXIT.ok
    }
    for (let { count } = first; ; ) {
      await pause(LOOK_MS)
      const next = await ask(path, count)
      // A daemon that was started anew counts from 1 again.
      if (next.count < count) {
        count = 0
        continue
      }
      const lost = next.count - count - next.events.length
      if (lost > 0) printer.error(`posternd: ${lost} came too fast to be shown`)
      for (const event of next.events.filter(isWanted)) show(event)
      count = next.count
    }
  },
}

/** The daemon's events with numbers above `since`. Throws ControlError; `absent` says where else to look. */
export async function ask(path: string, since: number): Promise<{ events: readonly KnockEvent[]; count: number }> {
  try {
    const answer = await askControl(path, { command: 'log', since })
    if (!answer.ok) throw new ControlError('broken', answer.error)
    return answer as unknown as { events: readonly KnockEvent[]; count: number }
  } catch (error) {
    if (!(error instanceof ControlError && error.code === 'absent')) throw error
    throw new ControlError('absent', `${error.message}: what an earlier one wrote: journalctl -u postern`)
  }
}

function noneOf(count: number): string {
  if (count === 0) return 'no knock of a user with a key has come since the daemon began'
  return `of the last ${Math.min(count, MOST_EVENTS)} knocks and refusals none fits what was asked for; posternd log alone shows them all`
}

function lastOf(args: Arguments): number {
  const text = textOf(args, 'last') ?? String(SHOWN)
  if (!/^[0-9]{1,6}$/.test(text)) throw new UsageError(`--last "${text}": expected a number, 0–${MOST_EVENTS}`)
  return Number(text)
}

/**
 * Of whom there is nothing, and who is none of the daemon's file either, was misspelled. Users that were taken out may still be in the
 * log. Throws UsageError.
 */
async function refuseStranger(path: string, args: Arguments, events: readonly KnockEvent[]): Promise<void> {
  const text = textOf(args, 'user')
  if (text === undefined || events.some(filterOf({ ...args, values: { user: text } }))) return
  const config = await configOfDaemon(path)
  if (config === undefined) return
  const { users, people, fwknop, file } = config
  const stanzas = fwknop?.settings.stanzas ?? []
  const id = parseId(text)
  const names = [
    ...[...users.keys()].map((user) => people.get(user)?.name ?? formatId(user)),
    ...stanzas.map(({ title }) => title),
  ]
  const ids = [...users.keys(), ...stanzas.map(({ user }) => user)]
  if (names.includes(text) || (id !== undefined && ids.includes(id))) return
  throw new UsageError(
    `--user ${quote(text)}: ${file} has no such user (it has ${knownWords(names)})${didYouMean(text, names)}`,
  )
}

/** Whatever file it runs with; undefined: that cannot be read now. */
async function configOfDaemon(path: string): Promise<ServerConfig | undefined> {
  try {
    const status = await daemonStatus(path)
    return status === undefined ? undefined : loadServerConfig(status.file)
  } catch (error) {
    if (error instanceof ConfigError) return undefined
    throw error
  }
}

/** Throws UsageError. */
function filterOf(args: Arguments): (event: KnockEvent) => boolean {
  const text = textOf(args, 'user')
  if (text === '') throw new UsageError('--user "": expected a user, by id or name')
  const id = text === undefined ? undefined : parseId(text)
  const isRefused = isGiven(args, 'refused')
  return ({ event, user, userName }) =>
    (!isRefused || event === 'refused') &&
    (text === undefined || userName === text || (id !== undefined && user === formatId(id)))
}

/** "2026-11-22T20:15:07.123Z refused a knock from …". */
function lineOf({ atMs, message }: KnockEvent): string {
  return `${new Date(atMs).toISOString()} ${message.replace(/\p{Cc}/gu, ' ')}`
}
