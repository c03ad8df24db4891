/** A listener for specs, with what it sends, answers and logs, and a clock that they set. */
import type { Answers } from '../../lib/daemon/answers.js'
import type { Frame } from '../../lib/daemon/frames.js'
import { LetmeinDesk } from '../../lib/daemon/letmein-desk.js'
import { Listener } from '../../lib/daemon/listener.js'
import { describeRefusal } from '../../lib/daemon/outcomes.js'
import { widestWindowMs } from '../../lib/daemon/past.js'
import { RefusalWords } from '../../lib/daemon/refusals.js'
import type { ListenerSettings, Message } from '../../lib/daemon/settings.js'
import { openReplay } from '../../lib/replay/replay.js'
import type { IpAddress } from '../../lib/wire/address.js'
import { formatId } from '../../lib/wire/ids.js'
import { authOf } from '../../lib/wire/letmein.js'
import { seal } from '../../lib/wire/spa.js'
import { deriveKeys, slotOf, tagOf } from '../../lib/wire/spa-keys.js'
import { MemoryDisk } from '../replay/memory-disk.js'

export const NOW = 1_800_000_000_000
export const KEY = new Uint8Array(32).fill(7)
export const USER = 1
export const RESOURCE = 0x22
export const keys = deriveKeys(KEY, 'realm')
export const CLIENT = '198.18.0.2'

export const settings: ListenerSettings = {
  windowMs: 60_000,
  heardGroup: 5800,
  recordGroup: 5801,
  users: [{ id: USER, tag: keys.tag, seal: keys.seal }],
  resources: [{ id: RESOURCE, requireAddress: 'optional', maxLifetimeSeconds: 600, isControlPort: false }],
  people: [],
  letmein: { users: [{ id: USER, key: KEY }], controlTimeoutMs: 5000, errorPolicy: 'basic-auth', tcpPorts: [] },
}

/** An IPv4 UDP packet as the kernel copies it. */
export function packetOf(bytes: Uint8Array, source: IpAddress = CLIENT, sourcePort = 40_000): Uint8Array {
  const packet = Buffer.alloc(28 + bytes.length)
  packet[0] = 0x45
  packet.writeUInt16BE(packet.length, 2)
  packet[9] = 17
  packet.set(source.split('.').map(Number), 12)
  packet.set([198, 18, 0, 1], 16)
  packet.writeUInt16BE(sourcePort, 20)
  packet.writeUInt16BE(5800, 22)
  packet.writeUInt16BE(8 + bytes.length, 24)
  packet.set(bytes, 28)
  return packet
}

export interface Circumstances {
  /** Where the journal is; a new disk where none is said. */
  readonly disk?: MemoryDisk
  readonly moment?: { wallMs: number; monoMs: number }
  /** Nothing at or below it is accepted without a journal, Unix ms. */
  readonly untrustedBelowMs?: number
  readonly horizonMs?: number
  /** Which boot it is. */
  readonly boot?: number
}

/** A listener that has its first settings. Hearing began 100 s before the moment. */
export async function listening(
  change: Partial<ListenerSettings> = {},
  {
    disk = new MemoryDisk(),
    moment = { wallMs: NOW, monoMs: 1_000_000 },
    untrustedBelowMs = 0,
    horizonMs = NOW + 120_000,
    boot = 1,
  }: Circumstances = {},
) {
  const frames: Frame[] = []
  const answers: { bytes: Uint8Array; to: string; isLast: boolean }[] = []
  const lines: string[] = []
  const seen = new Set<string>()
  const now = () => ({ ...moment })
  // As the monitor would log it that knows no names.
  const words = new RefusalWords()
  const send = (...some: readonly Frame[]) => some.every(sendOne)
  const sendOne = (frame: Frame) => {
    if (frame.kind === 'words') words.add(frame.text)
    else if (frame.kind === 'refused') {
      const { user, wish, protocol } = frame
      const stanza = protocol === 'fwknop' ? change.fwknop?.stanzas.find((one) => one.user === user) : undefined
      const who = stanza?.title ?? `user ${formatId(user)}`
      lines.push(describeRefusal(frame, { who, resource: formatId(wish?.resource ?? 0) }, words.take())!)
    } else frames.push(frame)
    return true
  }
  let isReady = () => {}
  const ready = new Promise<void>((resolve) => {
    isReady = resolve
  })
  let counter = 0
  const listener = new Listener({
    now,
    breathe: () => Promise.resolve(),
    onReady: isReady,
    send,
    openReplay: (start, told, horizonMs) =>
      openReplay({
        directory: disk.mount(),
        bootId: new Uint8Array(16).fill(boot),
        now: now(),
        settings: { ...start, horizonMs, windowMs: widestWindowMs(told) },
      }),
    openLetmein: (parts) =>
      new LetmeinDesk({
        ...parts,
        now,
        random: (length) => new Uint8Array(length).fill(++counter),
        authOf,
        openSalts: () => ({
          retain: () => {},
          note: (user, salt) => {
            const name = `${user} ${Buffer.from(salt).toString('hex')}`
            return seen.has(name) ? 'seen' : seen.add(name) && 'new'
          },
        }),
        openAnswers: (): Answers => ({
          send: ({ source, sourcePort }, bytes, isLast) =>
            void answers.push({ bytes, to: `${source} ${sourcePort}`, isLast }),
        }),
        onError: (why) => void lines.push(why),
      }),
  })
  const start: Message = {
    kind: 'start',
    start: {
      untrustedBelowMs,
      hearing: { wallMs: moment.wallMs - 100_000, monoMs: moment.monoMs - 100_000 },
      replayEntries: 1000,
    },
    settings: { ...settings, ...change },
    horizonMs,
  }
  listener.message(start)
  await ready
  const begun = frames.splice(0)
  const hear = (bytes: Uint8Array, source?: IpAddress, port?: number) =>
    listener.heard({ group: 5800, prefix: '', payload: packetOf(bytes, source, port) })
  return { listener, begun, frames, answers, lines, hear, moment }
}

/** A knock of SPA's. */
export function spa(nonce: number, more = {}): Uint8Array {
  const knock = {
    operation: 'open' as const,
    user: USER,
    resource: RESOURCE,
    timeMs: NOW,
    lifetimeSeconds: 0,
    instant: false,
    ...more,
  }
  return seal(knock, keys.seal, tagOf(keys.tag, slotOf(NOW), 0), new Uint8Array(24).fill(nonce), 0)
}
