/** Durations on the command line: `90`, `90s`, `30m`, `1h`, `1d`, `1.5h`. The one parser of them. Pure. */
import { quote } from '../config/error.js'
import { UsageError } from './usage.js'

const UNIT_SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }
const DURATION = /^(\d+(?:\.\d+)?)([smhd]?)$/

export interface Bounds {
  /** Least and greatest seconds that are accepted. */
  readonly least: number
  readonly greatest: number
}

/** The seconds that the text means, not rounded. Undefined where it is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text)
  if (match === null) return undefined
  return Number(match[1]) * UNIT_SECONDS[match[2]!]!
}

/** The whole seconds that an option's text means. Throws UsageError with value and expected form. */
export function wholeSeconds(option: string, text: string, { least, greatest }: Bounds): number {
  const seconds = parseDuration(text)
  if (seconds === undefined || !Number.isInteger(seconds) || seconds < least || seconds > greatest) {
    throw new UsageError(
      `${option} ${quote(text)}: expected seconds, ${least}–${greatest}, or a duration like 90s, 30m, 1h, 1d`,
    )
  }
  return seconds
}

/** The milliseconds that an option's text means; fractions of a second are fine. Throws UsageError. */
export function milliseconds(option: string, text: string, { least, greatest }: Bounds): number {
  const seconds = parseDuration(text)
  if (seconds === undefined || seconds < least || seconds > greatest) {
    throw new UsageError(
      `${option} ${quote(text)}: expected seconds, ${least}–${greatest}, or a duration like 90s, 30m, 1h`,
    )
  }
  return Math.round(seconds * 1000)
}
