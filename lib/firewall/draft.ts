/** Changes that wait to become one transaction: of several for the same element only the last counts. */
import type { Entry, LeaseBook } from './book.js'
import type { Change, Kernel, SetElement, SetRef } from './types.js'

interface Final {
  readonly key: Uint8Array
  /** undefined: it is taken out. */
  readonly element: SetElement | undefined
}

export class Draft {
  readonly #book: LeaseBook
  readonly #sets = new Map<string, { ref: SetRef; keys: Map<string, Final> }>()
  readonly #before: (() => void)[] = []

  constructor(book: LeaseBook) {
    this.#book = book
  }

  put(ref: SetRef, element: SetElement): void {
    this.#keysOf(ref).set(textOf(element.key), { key: element.key, element })
  }

  remove(ref: SetRef, key: Uint8Array): void {
    this.#keysOf(ref).set(textOf(key), { key, element: undefined })
  }

  /** What the element will be; `undecided` where nothing waits for it. */
  look(ref: SetRef, key: Uint8Array): SetElement | undefined | 'undecided' {
    const final = this.#sets.get(nameOf(ref))?.keys.get(textOf(key))
    return final === undefined ? 'undecided' : final.element
  }

  /** The book says so at once, so that limits hold within one transaction; `undo` takes it back. */
  note(entry: Entry, nowMs: number): void {
    this.#keep(entry)
    this.#book.note(entry, nowMs)
  }

  drop(entry: Pick<Entry, 'resource' | 'address'>): void {
    this.#keep(entry)
    this.#book.drop(entry.resource, entry.address)
  }

  undo(): void {
    for (const restore of this.#before.reverse()) restore()
  }

  changes(): Change[] {
    return [...this.#sets.values()].flatMap(({ ref, keys }) => {
      const finals = [...keys.values()]
      const elements = finals.flatMap(({ element }) => (element === undefined ? [] : [element]))
      const gone = finals.flatMap(({ key, element }) => (element === undefined ? [key] : []))
      const changes: Change[] = []
      if (elements.length > 0) changes.push({ kind: 'add', to: ref, elements, replace: true })
      if (gone.length > 0) changes.push({ kind: 'remove', from: ref, keys: gone })
      return changes
    })
  }

  /** Applies all of it; where that is more than `most` elements, in several transactions. */
  applyTo(kernel: Kernel, most = Number.POSITIVE_INFINITY): void {
    let part: Change[] = []
    let size = 0
    for (const change of this.changes().flatMap((one) => slices(one, most))) {
      const count = sizeOf(change)
      if (size > 0 && size + count > most) {
        kernel.apply(part)
        part = []
        size = 0
      }
      part.push(change)
      size += count
    }
    if (size > 0) kernel.apply(part)
  }

  #keysOf(ref: SetRef): Map<string, Final> {
    const name = nameOf(ref)
    const set = this.#sets.get(name) ?? { ref, keys: new Map<string, Final>() }
    this.#sets.set(name, set)
    return set.keys
  }

  #keep({ resource, address }: Pick<Entry, 'resource' | 'address'>): void {
    const before = this.#book.get(resource, address)
    this.#before.push(() => {
      if (before === undefined) this.#book.drop(resource, address)
      else this.#book.note(before, before.endMs)
    })
  }
}

function sizeOf(change: Change): number {
  return change.kind === 'add' ? change.elements.length : change.kind === 'remove' ? change.keys.length : 1
}

function slices(change: Change, most: number): Change[] {
  const parts: Change[] = []
  for (let i = 0; i < sizeOf(change); i += most) {
    if (change.kind === 'add') parts.push({ ...change, elements: change.elements.slice(i, i + most) })
    else if (change.kind === 'remove') parts.push({ ...change, keys: change.keys.slice(i, i + most) })
    else parts.push(change)
  }
  return parts
}

function nameOf({ family, table, set }: SetRef): string {
  return `${family} ${table} ${set}`
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1')
}
