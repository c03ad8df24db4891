/**
 * The one logger: a line for each event, at a bounded rate (nobody can fill a disk by knocking), in one of three forms
 * (log-forms.ts).
 */

/** What a line is about, by name: user, resource, address, reason, event. Values are one line of text. */
export type Fields = Readonly<Record<string, string>>

export interface Log {
  info(line: string, fields?: Fields): void
  warn(line: string, fields?: Fields): void
  error(line: string, fields?: Fields): void
}

/** syslog's numbers. */
export type Priority = 3 | 4 | 6

export interface Entry {
  readonly priority: Priority
  /** Without control characters. */
  readonly text: string
  readonly fields: Fields
}

/** Writes one entry. Throws where it could not be written. */
export type Form = (entry: Entry) => void

const LINES_PER_SECOND = 20
const BURST = 200

/**
 * What `form` throws is one more line that was not written (a full disk, a reader that is gone): a log never ends what it tells of.
 * It is asked for with each line, for a configuration can change it. `now` is monotonic ms.
 */
export function createLog(form: () => Form, now: () => number): Log {
  let budget = BURST
  let filledAt = now()
  let dropped = 0

  function put(priority: Priority, text: string, fields: Fields): boolean {
    budget--
    try {
      form()({ priority, text: oneLine(text), fields: cleaned(fields) })
      return true
    } catch {
      return false
    }
  }

  function line(priority: Priority, text: string, fields: Fields = {}): void {
    const time = now()
    budget = Math.min(BURST, budget + ((time - filledAt) / 1000) * LINES_PER_SECOND)
    filledAt = time
    if (budget < 1) {
      dropped++
      return
    }
    if (dropped > 0) {
      const why = `more than ${LINES_PER_SECOND} a second, or no room for them`
      if (put(4, `${dropped} lines were not written: ${why}`, { left_out: String(dropped) })) dropped = 0
    }
    if (!put(priority, text, fields)) dropped++
  }

  return {
    info: (text, fields) => line(6, text, fields),
    warn: (text, fields) => line(4, text, fields),
    error: (text, fields) => line(3, text, fields),
  }
}

function cleaned(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, oneLine(value)]))
}

/** Control characters cannot begin a second line nor steer a terminal. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ')
}
