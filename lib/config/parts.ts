/**
 * The parts of a resource's definition, `name: value, value` or bare words between slashes, each with its line. Taken by name
 * and form, as the options of a section are.
 */
import { type Findings, quote } from './error.js'
import { lineAt, type Option, trim } from './ini.js'
import { didYouMean } from './nearest.js'
import type { Form } from './values.js'

export interface Part {
  /** undefined: bare words, as `tcp,udp` or `jump`. */
  readonly name?: string
  readonly values: readonly string[]
  /** What stands there, trimmed. */
  readonly text: string
  readonly line: number
}

/** Their values have slashes of their own: `prefix: 24/64`, `from: 192.0.2.0/24`. What goes on with a digit belongs to them. */
const WITH_SLASHES = ['prefix', 'from']

/** The parts in their order. Never throws: what is strange about them is for the caller to say. */
export function splitParts(option: Option): Part[] {
  let offset = 0
  const parts: Part[] = []
  for (const raw of option.value.split('/')) {
    const text = trim(raw)
    const line = lineAt(option, offset + Math.max(0, raw.indexOf(text)))
    offset += raw.length + 1
    const last = parts.at(-1)
    if (last?.name !== undefined && WITH_SLASHES.includes(last.name) && /^[0-9]/.test(text))
      parts[parts.length - 1] = partOf(`${last.text}/${text}`, last.line)
    else parts.push(partOf(text, line))
  }
  return parts
}

function partOf(text: string, line: number): Part {
  const colon = text.indexOf(':')
  const values = text
    .slice(colon + 1)
    .split(',')
    .map(trim)
  return colon < 0 ? { values, text, line } : { name: trim(text.slice(0, colon)), values, text, line }
}

export class PartReader {
  readonly #option: Option
  /** What messages begin with. */
  readonly #title: string
  readonly #findings: Findings
  readonly #named = new Map<string, Part>()

  constructor(option: Option, title: string, findings: Findings) {
    this.#option = option
    this.#title = title
    this.#findings = findings
  }

  /** Sorts the named parts in; of those in `lastCounts` the last counts, of the others a second one is refused. */
  sort(parts: readonly Part[], known: readonly string[], lastCounts: readonly string[]): void {
    for (const part of parts) {
      const { name, line } = part
      if (name === undefined) continue
      if (!known.includes(name))
        this.refuse(line, `part ${quote(name)}: expected one of ${known.join(', ')}${didYouMean(name, known)}`)
      else if (this.#named.has(name) && !lastCounts.includes(name)) this.refuse(line, `part "${name}" is here twice`)
      else this.#named.set(name, part)
    }
  }

  /** The part's value, or `fallback` where it is not there or does not fit. */
  take<T, F>(name: string, form: Form<T>, fallback: F): T | F {
    const part = this.#named.get(name)
    if (part === undefined) return fallback
    const reading = form(part.values.join(','))
    if ('value' in reading) return reading.value
    this.refuse(part.line, `${name} ${reading.misfit}: expected ${reading.expected}`)
    return fallback
  }

  has(name: string): boolean {
    return this.#named.has(name)
  }

  /** The line of the first of these parts that is there, else of the definition. */
  line(...names: readonly string[]): number {
    const name = names.find((candidate) => this.#named.has(candidate))
    return name === undefined ? this.#option.line : this.#named.get(name)!.line
  }

  refuse(line: number, message: string): void {
    this.#findings.refuse(line, `${this.#title}: ${message}`)
  }

  warn(line: number, message: string): void {
    this.#findings.warn(line, `${this.#title}: ${message}`)
  }
}
