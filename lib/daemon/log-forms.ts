/**
 * The forms of a line of the log: text (under systemd with its priority, elsewhere with the time), a JSON object, and the journal's
 * own datagrams, whose fields journalctl can select by.
 */
import type { ServerConfig } from '../config/types.js'
import type { Entry, Form, Priority } from './log.js'

const LEVELS: Readonly<Record<Priority, string>> = { 3: 'error', 4: 'warning', 6: 'info' }

/** What a line that tells of a knock is found by: journalctl MESSAGE_ID=… */
export const MESSAGE_IDS: Readonly<Record<string, string>> = {
  opened: '3f2b7a5e6c0d4d8f9a4b1c7e52d08a61',
  prolonged: '0d9f4c1b7a2e4f53b86c5e1fa3297d14',
  unchanged: '8c5e0a7d1f3b4962ae7d60c49b1f2e83',
  revoked: 'b17e94d2c6a84f0f8d3e5a20f96c7b45',
  absent: '5a6d3c8e9f1042b7bc04d7e81a92f360',
  refused: 'e4c2f8190b7d4a6e95f13da8c07b62d9',
}

/**
 * The form that the configuration means. `write` takes whole lines for stderr; `journal`: the socket that the starter connected to
 * the journal, where stderr is the journal's anyway; `send` writes one datagram to it.
 */
export function formOf(
  format: ServerConfig['log']['format'],
  write: (line: string) => void,
  journal: number | undefined,
  send: (fd: number, datagram: string) => void,
): Form {
  if (format === 'json') return jsonForm(write)
  return journal === undefined
    ? textForm(write, process.env['JOURNAL_STREAM'] !== undefined)
    : journalForm((datagram) => send(journal, datagram), textForm(write, true))
}

/** Whole lines on stderr. `isJournal`: it is systemd's, which takes the priority off again. */
export function textForm(write: (line: string) => void, isJournal: boolean): Form {
  return ({ priority, text }) => {
    const prefix = isJournal ? `<${priority}>` : `${new Date().toISOString()} `
    write(`${prefix}${text}\n`)
  }
}

/** `{"time", "level", "message", …}`, one object a line. */
export function jsonForm(write: (line: string) => void): Form {
  return ({ priority, text, fields }) => {
    const time = new Date().toISOString()
    write(`${JSON.stringify({ time, level: LEVELS[priority], message: text, ...fields })}\n`)
  }
}

/**
 * systemd's native protocol (systemd.io, "Native Journal Protocol"): one datagram an entry, a field a line. `send` writes one to the
 * connected socket; where it throws (the journal is away, or full), the line goes the `other` way.
 */
export function journalForm(send: (datagram: string) => void, other: Form): Form {
  return (entry) => {
    try {
      send(journalEntry(entry))
    } catch {
      other(entry)
    }
  }
}

/** Of an entry, whose values are single lines. */
export function journalEntry({ priority, text, fields }: Entry): string {
  const id = MESSAGE_IDS[fields['event'] ?? '']
  const lines = [
    `MESSAGE=${text}`,
    `PRIORITY=${priority}`,
    'SYSLOG_IDENTIFIER=posternd',
    ...(id === undefined ? [] : [`MESSAGE_ID=${id}`]),
    ...Object.entries(fields).map(([name, value]) => `POSTERN_${name.toUpperCase()}=${value}`),
  ]
  return `${lines.join('\n')}\n`
}
