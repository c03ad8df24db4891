/** A reload that changed nothing: what the log says of it, and whoever asked for it. */
import type { ControlAnswer } from './control.js'
import type { Log } from './log.js'

/** Logs why, line by line, and gives it back as text. */
export function notReloaded(why: unknown, log: Log): string {
  const text = why instanceof Error ? why.message : String(why)
  const lines = text.split('\n')
  if (lines.length === 1) log.error(`reload: nothing was changed: ${text}`)
  else for (const line of ['reload: nothing was changed:', ...lines]) log.error(line)
  return text
}

/** What the control socket answers: `why` it was not reloaded; undefined: it was. */
export function answerOf(why: string | undefined): ControlAnswer {
  return why === undefined ? { ok: true } : { ok: false, error: why }
}
