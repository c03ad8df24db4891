/**
 * The one logger: a line on stderr for each event, at a bounded rate (nobody can fill a disk by knocking). Under systemd a
 * line begins with its priority, elsewhere with the time.
 */
export interface Log {
  info(line: string): void
  warn(line: string): void
  error(line: string): void
}

const LINES_PER_SECOND = 20
const BURST = 200

/**
 * `write` takes whole lines; what it throws is one more line that was not written (a full disk, a reader that is gone): a log
 * never ends what it tells of. `now` is monotonic ms. `journal`: stderr is systemd's.
 */
export function createLog(write: (line: string) => void, now: () => number, journal: boolean): Log {
  let budget = BURST
  let filledAt = now()
  let dropped = 0

  function put(priority: number, text: string): boolean {
    budget--
    const prefix = journal ? `<${priority}>` : `${new Date().toISOString()} `
    try {
      write(`${prefix}${oneLine(text)}\n`)
      return true
    } catch {
      return false
    }
  }

  function line(priority: number, text: string): void {
    const time = now()
    budget = Math.min(BURST, budget + ((time - filledAt) / 1000) * LINES_PER_SECOND)
    filledAt = time
    if (budget < 1) {
      dropped++
      return
    }
    if (dropped > 0) {
      const why = `more than ${LINES_PER_SECOND} a second, or no room for them`
      if (put(4, `${dropped} lines were not written: ${why}`)) dropped = 0
    }
    if (!put(priority, text)) dropped++
  }

  return {
    info: (text) => line(6, text),
    warn: (text) => line(4, text),
    error: (text) => line(3, text),
  }
}

/** Control characters cannot begin a second line nor steer a terminal. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ')
}
