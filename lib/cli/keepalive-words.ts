/** What a keepalive says. Pure. */
import type { Charge, News } from '../client/keepalive.js'
import type { Task } from './keepalive-arguments.js'
import type { Printer } from './print.js'

/** Says it: what fails in any case, the rest not where quiet is asked for. `nameOf`: a charge in words. */
export function tellNews(news: News, nameOf: (charge: Charge) => string, isQuiet: boolean, printer: Printer): void {
  const say = (text: string) => isQuiet || printer.line(text)
  switch (news.kind) {
    case 'failed':
      printer.error(`postern: ${nameOf(news.charge)}: ${news.why}; trying on, less and less often`)
      break
    case 'mended':
      say(`${nameOf(news.charge)}: knocked again after ${spanOf(news.afterMs)}`)
      break
    case 'warning':
      if (!isQuiet) printer.error(`postern: warning: ${nameOf(news.charge)}: ${news.text}`)
      break
    case 'offline':
      printer.error('postern: no network: waiting for it')
      break
    case 'moved':
      say(`${movedBy(news.why)}: knocking again`)
      break
    default:
      news satisfies never
  }
}

function movedBy(why: 'network' | number): string {
  if (why === 'network') return 'the network changed'
  return why > 0 ? `asleep for ${spanOf(why)}, or the clock was set` : `the clock was set back by ${spanOf(-why)}`
}

/** `keeping port 22 of gate open: a knock every 11–14 s`. */
export function beginning({ name, rhythm, whileConnected }: Task & Required<Pick<Task, 'rhythm'>>): string {
  const { leastMs, mostMs } = rhythm
  const often = `every ${seconds(leastMs)}–${seconds(mostMs)} s`
  return whileConnected
    ? `prolonging ${name} while a connection is there: looked at ${often}`
    : `keeping ${name} open: a knock ${often}`
}

function spanOf(ms: number): string {
  return ms < 120_000 ? `${seconds(ms)} s` : `${Math.round(ms / 60_000)} min`
}

function seconds(ms: number): string {
  return ms < 10_000 ? String(Math.round(ms / 100) / 10) : String(Math.round(ms / 1000))
}
