/**
 * Takes the options of one section by name and form. What does not fit is noted and the default goes on, so that all
 * mistakes are found; what nobody took is unknown.
 */
import { type Findings, quote } from './error.js'
import { type Option, type Section, trim } from './ini.js'
import { didYouMean } from './nearest.js'
import type { Form } from './values.js'

export class SectionReader {
  readonly #section: Section | undefined
  readonly #title: string
  readonly #findings: Findings
  readonly #known = new Set<string>()

  constructor(sections: ReadonlyMap<string, Section>, title: string, findings: Findings) {
    this.#section = sections.get(title)
    this.#title = title
    this.#findings = findings
  }

  /** The option's value, or `fallback` where it is not there or does not fit. */
  take<T, F>(name: string, form: Form<T>, fallback: F): T | F {
    this.#known.add(name)
    const option = this.option(name)
    if (option === undefined) return fallback
    const reading = form(trim(option.value))
    if ('value' in reading) return reading.value
    this.refuse(name, `${reading.misfit}: expected ${reading.expected}`)
    return fallback
  }

  option(name: string): Option | undefined {
    return this.#section?.options.find((option) => option.name === name)
  }

  /** The line of that option, or of the section's header; 0 where neither is there. */
  line(name?: string): number {
    return (name === undefined ? undefined : this.option(name)?.line) ?? this.#section?.line ?? 0
  }

  refuse(name: string, message: string): void {
    this.#findings.refuse(this.line(name), `[${this.#title}] ${name} ${message}`)
  }

  warn(name: string, message: string): void {
    this.#findings.warn(this.line(name), `[${this.#title}] ${name} ${message}`)
  }

  /** Says of every option that was not taken: refused in sections of ours, ignored with a word in letmein's. */
  finish(unknown: 'refuse' | 'warn'): void {
    for (const { name, line } of this.#section?.options ?? []) {
      if (this.#known.has(name)) continue
      const what = `[${this.#title}] ${quote(name)}: no such option`
      const hint = didYouMean(name, this.#known)
      if (unknown === 'refuse')
        this.#findings.refuse(line, `${what}: expected one of ${[...this.#known].join(', ')}${hint}`)
      else this.#findings.warn(line, `${what}, ignored${hint}`)
    }
  }
}
