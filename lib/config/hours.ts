/** When a user may knock: `mon-fri 08:00-18:00`, several by commas, in the server's own time zone. Pure. */
import { type Form, misfit } from './values.js'

/** On these days (0 is Sunday), from one minute of the day to before another. */
export interface Hours {
  readonly days: readonly number[]
  readonly fromMinute: number
  readonly toMinute: number
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const DAY_MINUTES = 24 * 60
const MINUTE_MS = 60_000
const EXPECTED =
  'days and hours of the server, like mon-fri 08:00-18:00, sat 10:00-24:00; after midnight is the next day'

/** One of the list. */
export const hours: Form<Hours> = (text) => {
  const [, first, last, from, to] =
    /^(?:([a-z]{3})(?:-([a-z]{3}))?\s+)?([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2})$/i.exec(text) ?? []
  const [fromMinute, toMinute] = [minuteOf(from), minuteOf(to)]
  const days = daysOf(first, last)
  if (days === undefined || fromMinute === undefined || toMinute === undefined || fromMinute >= toMinute)
    return misfit(text, EXPECTED)
  return { value: { days, fromMinute, toMinute } }
}

/** All days where none is named; `fri-mon` goes over the weekend. */
function daysOf(first: string | undefined, last = first): number[] | undefined {
  if (first === undefined) return DAYS.map((_, day) => day)
  const [begin, end] = [DAYS.indexOf(first.toLowerCase()), DAYS.indexOf(last!.toLowerCase())]
  if (begin < 0 || end < 0) return undefined
  return Array.from({ length: ((end - begin + 7) % 7) + 1 }, (_, i) => (begin + i) % 7)
}

function minuteOf(text = ''): number | undefined {
  const [hour, minute] = text.split(':').map(Number)
  const of = hour! * 60 + minute!
  return minute! < 60 && of <= DAY_MINUTES ? of : undefined
}

/**
 * Up to when these hours go on from now, over midnight too where the next day's follow at once, Unix ms; undefined: it is not
 * within them.
 */
export function withinUntil(all: readonly Hours[], wallMs: number): number | undefined {
  let end = partUntil(all, wallMs)
  while (end !== undefined) {
    // So long means always: a week's hours are those of the next one.
    if (end - wallMs > 8 * DAY_MINUTES * MINUTE_MS) return Number.POSITIVE_INFINITY
    const next = partUntil(all, end)
    if (next === undefined) return end
    end = next
  }
  return undefined
}

/** The same, to the end of a part or of the day. */
function partUntil(all: readonly Hours[], wallMs: number): number | undefined {
  const now = new Date(wallMs)
  const minute = now.getHours() * 60 + now.getMinutes()
  const ends = all
    .filter((part) => isWithin(part, now))
    .map((part) => {
      const { toMinute } = part
      let end = new Date(now.getFullYear(), now.getMonth(), now.getDate(), 0, toMinute).getTime()
      // Where a clock that was set back has an hour twice, the day's first one is told.
      if (end <= wallMs) return wallMs - (wallMs % MINUTE_MS) + (toMinute - minute) * MINUTE_MS
      // Where one that was set forward leaves that hour out, a later one is.
      while (end - MINUTE_MS > wallMs && !isWithin(part, new Date(end - MINUTE_MS))) end -= MINUTE_MS
      return end
    })
  return ends.length === 0 ? undefined : Math.max(...ends)
}

function isWithin({ days, fromMinute, toMinute }: Hours, now: Date): boolean {
  const minute = now.getHours() * 60 + now.getMinutes()
  return days.includes(now.getDay()) && fromMinute <= minute && minute < toMinute
}
