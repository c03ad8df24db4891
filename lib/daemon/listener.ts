/**
 * The listener: hear → gate → replay → policy → channel. It holds the keys that judging needs and no privilege at all: taken
 * over, it can ask the monitor for what the users whose keys it has may have anyway, and no more.
 */

import type { Person } from '../config/types.js'
import type { NflogPacket } from '../firewall/netlink/nflog.js'
import { SpaGate } from '../gate/spa.js'
import type { Datagram, Request } from '../gate/verdict.js'
import type { Now } from '../replay/clock.js'
import type { Replay } from '../replay/replay.js'
import { LEAD_MS } from '../slots/schedule.js'
import { formatId, parseId, type ResourceId, type UserId } from '../wire/ids.js'
import { datagramOf } from '../wire/ip.js'
import { type Frame, UNASKED } from './frames.js'
import { FwknopDesk } from './fwknop-desk.js'
import type { LetmeinDesk, LetmeinDeskParts } from './letmein-desk.js'
import { judgeRequest } from './policy.js'
import { Counters, type Reason } from './reasons.js'
import { Refusals, type Whose } from './refusals.js'
import type { ListenerResource, ListenerSettings, ListenerStart, Message } from './settings.js'

/** The prefix that the kernel's records of instant leases begin with; the resource's id follows. */
export const RECORD_PREFIX = 'postern instant '

export interface ListenerParts {
  now(): Now
  /** Gives other work its turn between two steps of about a millisecond. */
  breathe(): Promise<void>
  /** The first settings are in force: what is heard from here on can be judged. */
  onReady(): void
  /** All of them, or none and false, where the monitor does not keep up. */
  send(...frames: readonly Frame[]): boolean
  /** Letmein's side, which hands its requests back to `submit`. */
  openLetmein(parts: Pick<LetmeinDeskParts, 'submit' | 'refused'>): LetmeinDesk
  openReplay(start: ListenerStart, settings: ListenerSettings, horizonMs: number): Replay
}

export class Listener {
  readonly #parts: ListenerParts
  readonly counters = new Counters()
  readonly #letmein: LetmeinDesk
  readonly #fwknop: FwknopDesk
  readonly #refusals: Refusals
  #settings: ListenerSettings | undefined
  #resources = new Map<ResourceId, ListenerResource>()
  #people: ReadonlyMap<UserId, Person> = new Map()
  #gate: SpaGate | undefined
  #newest: ListenerSettings | undefined
  #isRolling = false
  #replay: Replay | undefined
  /** Without a trusted journal nothing at or below it is accepted, Unix ms. */
  #markMs = 0

  constructor(parts: ListenerParts) {
    this.#parts = parts
    this.#refusals = new Refusals(parts.send)
    this.#letmein = parts.openLetmein({
      submit: (request, source, sequence) => this.#request([request], source, sequence),
      refused: (why, source, whose, detail) => this.#refuse(why, source, whose, detail),
    })
    this.#fwknop = new FwknopDesk({
      now: parts.now,
      submit: (requests, source) => void this.#request(requests, source, 0),
      refused: (why, source, whose, detail) => this.#refuse(why, source, whose, detail),
    })
  }

  /** What the monitor says. Throws where the journal cannot be begun. */
  message(message: Message): void {
    switch (message.kind) {
      case 'start':
        this.#replay?.close()
        this.#replay = this.#parts.openReplay(message.start, message.settings, message.horizonMs)
        this.#markMs = message.start.untrustedBelowMs
        void this.#use(message.settings)
        break
      case 'settings':
        void this.#use(message.settings)
        break
      case 'horizon':
        this.#replay?.setHorizon(message.horizonMs)
        break
      case 'trust':
        this.#markMs = message.untrustedBelowMs
        this.#replay?.trust(message.untrustedBelowMs, message.horizonMs, this.#now())
        break
      case 'hearing':
        this.#replay?.heardAgain(message.hearing)
        break
      case 'result':
        this.#letmein.result(message.sequence, message.isDone)
        break
      case 'end':
        this.#parts.send({ kind: 'ended', acceptedMs: this.#replay?.end() ?? 0 })
        break
      case 'ping':
        for (const [index, count] of this.counters.entries()) this.#parts.send({ kind: 'counter', index, count })
        this.#pong(message.sequence)
        break
      default:
        message satisfies never
    }
  }

  /** What time brings with it: the next slot's tags. Cheap where there is nothing to do. Throws where the journal is lost. */
  tick(): void {
    if (this.#gate !== undefined && !this.#isRolling) void this.#roll(this.#gate)
    this.#replay?.tick(this.#now())
    if (this.#replay?.status().journal === 'dead')
      throw new Error('the replay journal is lost: nothing can be accepted by this process')
  }

  /** One copy from the kernel. Never throws. */
  heard(packet: NflogPacket): void {
    const settings = this.#settings
    if (settings === undefined || this.#gate === undefined) return
    const datagram = datagramOf(packet.payload)
    if (datagram === undefined) this.counters.count('shape')
    else if (packet.group === settings.recordGroup) this.#record(packet, datagram, this.#gate)
    else if (!this.#letmein.hear(datagram, packet.inputInterface)) this.#judge(datagram, this.#gate)
  }

  /** A gate for 100,000 users takes seconds to make: the old one judges meanwhile. */
  async #use(settings: ListenerSettings): Promise<void> {
    this.#newest = settings
    const gate = new SpaGate({ users: settings.users, windowMs: settings.windowMs })
    await this.#roll(gate)
    if (this.#newest !== settings) return
    const isFirst = this.#gate === undefined
    this.#settings = settings
    this.#people = new Map(settings.people)
    this.#resources = new Map(settings.resources.map((resource) => [resource.id, resource]))
    this.#gate = gate
    this.#letmein.use(settings.letmein, settings.resources)
    this.#fwknop.use(settings.fwknop)
    if (!isFirst) return
    this.#parts.onReady()
    this.#pong(UNASKED)
  }

  #pong(sequence: number): void {
    this.#parts.send({ kind: 'pong', sequence, untrustedBelowMs: this.#untrustedBelowMs() })
  }

  /** Ahead by as much as the kernel's tags are. */
  async #roll(gate: SpaGate): Promise<void> {
    this.#isRolling = true
    for (const _ of gate.rolling(this.#now().wallMs, LEAD_MS)) await this.#parts.breathe()
    this.#isRolling = false
  }

  #judge(datagram: Datagram, gate: SpaGate): void {
    const verdict = gate.judge(datagram, this.#now().wallMs)
    switch (verdict.kind) {
      case 'silence': {
        const { why, user, detail } = verdict
        // No tag that is known: then it may be fwknop's, which has none.
        if ((why === 'tag' || why === 'length') && this.#fwknop.hear(datagram)) return
        if (why === 'instant') this.counters.count(why)
        else this.#refuse(why, datagram.source, user === undefined ? undefined : { protocol: 'spa', user }, detail)
        return
      }
      case 'request':
        this.#request([verdict.request], datagram.source, 0)
        return
      case 'reply':
        return
      default:
        verdict satisfies never
    }
  }

  /**
   * Why it went no further; undefined: the monitor was asked, and says what became of it where the sequence is not 0. Requests
   * of one datagram have one user and one replay id.
   */
  #request(requests: readonly Request[], source: string, sequence: number): Reason | undefined {
    const why = this.#refusalOf(requests, sequence)
    if (why !== undefined) {
      const [{ protocol, user, ...wish }, ...others] = requests as readonly [Request, ...Request[]]
      const more =
        others.length === 0 ? undefined : `and ${others.map(({ resource }) => formatId(resource)).join(', ')}`
      this.#refuse(why, source, { protocol, user, wish: { operation: wish.operation, resource: wish.resource } }, more)
    }
    return why
  }

  /** Seen once, judged all, and only then asked for: what is refused in part is refused. */
  #refusalOf(requests: readonly Request[], sequence: number): Reason | undefined {
    const now = this.#now()
    const heardMs = Math.floor(now.wallMs)
    const seen = this.#replay?.admit(requests[0]!.replay, now) ?? 'journal'
    if (seen !== 'fresh') return seen
    const frames: Frame[] = []
    for (const [i, request] of requests.entries()) {
      const judgement = judgeRequest(
        request,
        this.#resources.get(request.resource),
        this.#people.get(request.user),
        now.wallMs,
      )
      if (judgement.kind === 'refused') return judgement.why
      const { protocol, operation, user, resource, address } = request
      const { lifetimeSeconds } = judgement
      const lease = { protocol, operation, sequence, user, resource, address, lifetimeSeconds }
      frames.push({ kind: 'request', ...lease, heardMs, more: requests.length - 1 - i })
    }
    return this.#parts.send(...frames) ? undefined : 'busy'
  }

  /** The kernel opened for whoever's tag and token these were. It judged; here it is only told who it was. */
  #record(packet: NflogPacket, datagram: Datagram, gate: SpaGate): void {
    const owner = gate.userOfTag(datagram.bytes.subarray(0, 8))
    const resource = packet.prefix.startsWith(RECORD_PREFIX)
      ? parseId(packet.prefix.slice(RECORD_PREFIX.length))
      : undefined
    if (owner === undefined || resource === undefined) this.counters.count('tag')
    else this.#parts.send({ kind: 'record', user: owner.user, resource, address: datagram.source })
  }

  /** Counted; told only of somebody who showed a key (`whose`), for strangers could fill the log. */
  #refuse(why: Reason, source: string, whose?: Whose, detail?: string): void {
    this.counters.count(why)
    if (whose !== undefined) this.#refusals.tell(why, source, whose, detail, this.#now().monoMs)
  }

  #untrustedBelowMs(): number {
    return this.#replay?.status().trusted === false ? this.#markMs : 0
  }

  #now(): Now {
    return this.#parts.now()
  }
}
