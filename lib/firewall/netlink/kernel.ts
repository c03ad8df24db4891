/**
 * The kernel's nf_tables over one netlink socket: batches, listing, looking up (docs/ARCHITECTURE.md, "Leases live in the
 * kernel"). It sees only the sets that it is asked about, so other people's giant sets cost nothing.
 */
import { type Change, FirewallError, type Kernel, type SetElement, type SetRef, type TableShape } from '../types.js'
import { beginBatch, endBatch, type Step, writeBatch } from './batch.js'
import { Conversation, type Refusal } from './conversation.js'
import { readElements, writeKey, writeSetName } from './elements.js'
import { Attributes, type Message } from './message.js'
import { CHAIN, ELEMENTS, ERRNO, FLAG, familyName, GENERATION, NFT_MESSAGE, RULE, SET, TABLE } from './numbers.js'
import { refusalError } from './refusals.js'
import type { NetlinkSocket } from './socket.js'
import { type BaseChain, readBaseChain, readChainName, readRuleHandle, readSetName, readTable } from './tables.js'
import { MessageWriter } from './writer.js'

/** A look at a whole table is begun anew so often when it changes meanwhile. */
const SHAPE_TRIES = 8
/**
 * The kernel goes on counting places from one part of a long list to the next. Where it moves the set into a larger table
 * meanwhile (a moment after much was added), it tells some elements twice and as many not at all: seen, 7 % of 50,000.
 */
const LIST_TRIES = 5

export class NetlinkKernel implements Kernel {
  /** `apply` takes no more at once; splitChanges (batch.ts) makes parts. */
  readonly maxBatchBytes: number
  private readonly conversation: Conversation
  private readonly writer = new MessageWriter()

  constructor(socket: NetlinkSocket) {
    this.conversation = new Conversation(socket)
    this.maxBatchBytes = socket.maxWriteBytes ?? Number.POSITIVE_INFINITY
  }

  apply(changes: readonly Change[]): void {
    const outcome = this.attempt(changes)
    if (outcome === undefined) return
    const { refusal, step } = outcome
    // To delete what may be absent it is added first, and a full set has no room for that.
    if (refusal.errno === ERRNO.ENFILE && step?.kind === 'remove') {
      const again = this.attempt(changes.map((change) => this.withoutAbsent(change)))
      if (again === undefined) return
      throw this.errorOf(again.refusal.errno, again.step)
    }
    throw this.errorOf(refusal.errno, step)
  }

  list(set: SetRef): SetElement[] {
    let union = new Map<string, SetElement>()
    for (let tries = 0; tries < LIST_TRIES; tries++) {
      const found = this.listOnce(set)
      const distinct = new Map(found.map((element) => [String.fromCharCode(...element.key), element]))
      if (distinct.size === found.length) return found
      union = new Map([...union, ...distinct])
    }
    return [...union.values()]
  }

  get(set: SetRef, key: Uint8Array): SetElement | undefined {
    const found: SetElement[] = []
    const errno = this.ask(
      NFT_MESSAGE.getElement,
      set.family,
      (writer) => {
        writeSetName(writer, set)
        const list = writer.nest(ELEMENTS.list)
        writeKey(writer, key)
        writer.unnest(list)
      },
      (message) => readElements(message, found),
    )
    if (errno === ERRNO.ENOENT) {
      const missing = this.missingOf(set)
      if (missing !== undefined) throw missing
    } else if (errno !== 0) throw this.errorOf(errno, { set, kind: 'get' })
    return found[0]
  }

  shape(family: number, table: string): TableShape | undefined {
    for (let tries = 0; tries < SHAPE_TRIES; tries++) {
      const before = this.generation()
      const shape = this.shapeOnce(family, table)
      if (this.generation() === before) return shape
    }
    throw refusalError(ERRNO.EAGAIN, `table ${familyName(family)} ${table}`)
  }

  baseChains(): BaseChain[] {
    return this.listAll(NFT_MESSAGE.getChain, 0, () => {}, readBaseChain, 'chains')
  }

  deleteTable(family: number, table: string): void {
    const first = this.conversation.reserve(4)
    const { writer } = this
    writer.reset()
    beginBatch(writer, first)
    // Made first, so that it is no error where it was not there.
    for (const [index, type] of [NFT_MESSAGE.newTable, NFT_MESSAGE.deleteTable].entries()) {
      writer.begin(type, type === NFT_MESSAGE.newTable ? FLAG.create : 0, first + 1 + index, family)
      writer.text(TABLE.name, table)
      writer.finish()
    }
    endBatch(writer, first + 3)
    const refusal = this.conversation.transact(writer.written(), first, first + 2)
    if (refusal !== undefined) throw refusalError(refusal.errno, `table ${familyName(family)} ${table}: not deleted`)
  }

  /** The ruleset's generation: another number after each transaction, of whomever (32 bits, wraps). */
  generation(): number {
    let generation = 0
    const errno = this.ask(
      NFT_MESSAGE.getGeneration,
      0,
      () => {},
      (message) => {
        generation = new Attributes().readMessage(message).be32(GENERATION.id) ?? 0
      },
    )
    // A kernel without nf_tables does not know the question.
    if (errno !== 0) throw refusalError(errno === ERRNO.EINVAL ? ERRNO.EOPNOTSUPP : errno, 'ruleset')
    return generation
  }

  private attempt(changes: readonly Change[]): { refusal: Refusal; step: Step | undefined } | undefined {
    const { writer } = this
    writer.reset()
    const first = this.conversation.reserve(0)
    const steps = writeBatch(writer, changes, first)
    if (steps.length === 0) return undefined
    this.conversation.reserve(steps.length + 2)
    const bytes = writer.written()
    if (bytes.length > this.maxBatchBytes) {
      throw new FirewallError('kernel', `transaction of ${bytes.length} bytes: expected at most ${this.maxBatchBytes}`)
    }
    const refusal = this.conversation.transact(bytes, first, first + steps.length)
    return refusal && { refusal, step: steps[refusal.sequence - first - 1] }
  }

  private listOnce(set: SetRef): SetElement[] {
    const found: SetElement[] = []
    const errno = this.conversation.list(
      (sequence) =>
        this.question(NFT_MESSAGE.getElement, FLAG.dump, sequence, set.family, (writer) => writeSetName(writer, set)),
      () => {
        found.length = 0
      },
      (message) => readElements(message, found),
    )
    if (errno !== 0) throw this.errorOf(errno, { set, kind: 'list' })
    return found
  }

  private withoutAbsent(change: Change): Change {
    if (change.kind !== 'remove') return change
    return { ...change, keys: change.keys.filter((key) => this.get(change.from, key) !== undefined) }
  }

  private shapeOnce(family: number, table: string): TableShape | undefined {
    let head: ReturnType<typeof readTable>
    const errno = this.ask(
      NFT_MESSAGE.getTable,
      family,
      (writer) => writer.text(TABLE.name, table),
      (message) => {
        head = readTable(message)
      },
    )
    const what = `table ${familyName(family)} ${table}`
    if (errno === ERRNO.ENOENT) return undefined
    if (errno !== 0) throw refusalError(errno, what)
    if (head === undefined) throw new FirewallError('kernel', `${what}: expected a handle`)
    const ofTable =
      <T>(read: (message: Message, family: number, table: string) => T) =>
      (message: Message) =>
        read(message, family, table)
    return {
      ...head,
      chains: this.listAll(
        NFT_MESSAGE.getChain,
        family,
        (writer) => writer.text(CHAIN.table, table),
        ofTable(readChainName),
        what,
      ),
      sets: this.listAll(
        NFT_MESSAGE.getSet,
        family,
        (writer) => writer.text(SET.table, table),
        ofTable(readSetName),
        what,
      ),
      ruleHandles: this.listAll(
        NFT_MESSAGE.getRule,
        family,
        (writer) => writer.text(RULE.table, table),
        ofTable(readRuleHandle),
        what,
      ),
    }
  }

  /** Everything of a kind that `read` makes something of. A table that went away meanwhile has nothing. */
  private listAll<T>(
    type: number,
    family: number,
    fill: (writer: MessageWriter) => void,
    read: (message: Message) => T | undefined,
    what: string,
  ): T[] {
    const found: T[] = []
    const errno = this.conversation.list(
      (sequence) => this.question(type, FLAG.dump, sequence, family, fill),
      () => {
        found.length = 0
      },
      (message) => {
        const item = read(message)
        if (item !== undefined) found.push(item)
      },
    )
    if (errno !== 0 && errno !== ERRNO.ENOENT) throw refusalError(errno, what)
    return found
  }

  private question(
    type: number,
    flags: number,
    sequence: number,
    family: number,
    fill: (writer: MessageWriter) => void,
  ): Uint8Array {
    const { writer } = this
    writer.reset()
    writer.begin(type, flags, sequence, family)
    fill(writer)
    writer.finish()
    return writer.written()
  }

  private ask(
    type: number,
    family: number,
    fill: (writer: MessageWriter) => void,
    visit?: (message: Message) => void,
  ): number {
    const sequence = this.conversation.reserve(1)
    return this.conversation.ask(this.question(type, 0, sequence, family, fill), sequence, visit)
  }

  private errorOf(errno: number, step: { set: SetRef; kind: string } | undefined): FirewallError {
    if (step === undefined) return refusalError(errno, 'transaction')
    const missing = errno === ERRNO.ENOENT ? this.missingOf(step.set) : undefined
    return missing ?? refusalError(errno, `${step.kind}: set ${nameOf(step.set)}`)
  }

  /** Which of table and set is not there; undefined where both are. */
  private missingOf(set: SetRef): FirewallError | undefined {
    const asked = this.ask(NFT_MESSAGE.getSet, set.family, (writer) => {
      writer.text(SET.table, set.table)
      writer.text(SET.name, set.set)
    })
    if (asked !== ERRNO.ENOENT) return undefined
    const table = this.ask(NFT_MESSAGE.getTable, set.family, (writer) => writer.text(TABLE.name, set.table))
    return table === ERRNO.ENOENT
      ? new FirewallError('no-table', `table ${familyName(set.family)} ${set.table}: not there`)
      : new FirewallError('no-set', `set ${nameOf(set)}: not there`)
  }
}

function nameOf(set: SetRef): string {
  return `${familyName(set.family)} ${set.table} ${set.set}`
}
