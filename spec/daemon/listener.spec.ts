import { expect } from 'chai'
import type { Answers } from '../../lib/daemon/answers.js'
import type { Frame } from '../../lib/daemon/frames.js'
import { LetmeinDesk } from '../../lib/daemon/letmein-desk.js'
import { Listener } from '../../lib/daemon/listener.js'
import type { ListenerSettings, Message } from '../../lib/daemon/settings.js'
import { openReplay } from '../../lib/replay/replay.js'
import type { IpAddress } from '../../lib/wire/address.js'
import { authOf, decode, encode, encodeSigned, type Message as Letmein, ZERO_AUTH } from '../../lib/wire/letmein.js'
import { seal } from '../../lib/wire/spa.js'
import { deriveKeys, slotOf, tagOf } from '../../lib/wire/spa-keys.js'
import { MemoryDisk } from '../replay/memory-disk.js'

const NOW = 1_800_000_000_000
const KEY = new Uint8Array(32).fill(7)
const USER = 1
const RESOURCE = 0x22
const keys = deriveKeys(KEY, 'realm')
const CLIENT = '198.18.0.2'

const settings: ListenerSettings = {
  windowMs: 60_000,
  heardGroup: 5800,
  recordGroup: 5801,
  users: [{ id: USER, tag: keys.tag, seal: keys.seal }],
  resources: [{ id: RESOURCE, requireAddress: 'optional', maxLifetimeSeconds: 600, isControlPort: false }],
  letmein: { users: [{ id: USER, key: KEY }], controlTimeoutMs: 5000, errorPolicy: 'basic-auth', tcpPorts: [] },
}

/** An IPv4 UDP packet as the kernel copies it. */
function packetOf(bytes: Uint8Array, source: IpAddress = CLIENT, sourcePort = 40_000): Uint8Array {
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

async function listening(change: Partial<ListenerSettings> = {}) {
  const frames: Frame[] = []
  const answers: { bytes: Uint8Array; to: string; isLast: boolean }[] = []
  const lines: string[] = []
  const seen = new Set<string>()
  const moment = { wallMs: NOW, monoMs: 1_000_000 }
  const now = () => ({ ...moment })
  const log = {
    info: (line: string) => void lines.push(line),
    warn: (line: string) => void lines.push(line),
    error: (line: string) => void lines.push(line),
  }
  let isReady = () => {}
  const ready = new Promise<void>((resolve) => {
    isReady = resolve
  })
  let counter = 0
  const listener = new Listener({
    now,
    log,
    breathe: () => Promise.resolve(),
    onReady: isReady,
    send: (frame) => frames.push(frame) > 0,
    openReplay: (start, { windowMs }, horizonMs) =>
      openReplay({
        directory: new MemoryDisk().mount(),
        bootId: new Uint8Array(16).fill(1),
        now: now(),
        settings: { ...start, horizonMs, windowMs },
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
    start: { untrustedBelowMs: 0, hearing: { wallMs: NOW - 100_000, monoMs: 900_000 }, replayEntries: 1000 },
    settings: { ...settings, ...change },
    horizonMs: NOW + 120_000,
  }
  listener.message(start)
  await ready
  const hear = (bytes: Uint8Array, source?: IpAddress, port?: number) =>
    listener.heard({ group: 5800, prefix: '', payload: packetOf(bytes, source, port) })
  return { listener, frames, answers, lines, hear, moment }
}

function spa(nonce: number, more = {}): Uint8Array {
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

function knock(salt: number, more: Partial<Letmein> = {}, key = KEY): Uint8Array {
  return encodeSigned(
    { operation: 'KNOCK', user: USER, resource: RESOURCE, salt: new Uint8Array(8).fill(salt), ...more },
    key,
    ZERO_AUTH,
  )
}

function responseTo(challenge: Uint8Array, key = KEY): Uint8Array {
  const { user, resource, auth } = decode(challenge) as Letmein
  return encodeSigned({ operation: 'RESPONSE', user, resource, salt: new Uint8Array(8) }, key, auth)
}

describe('the listener', () => {
  it('asks the monitor for what a good knock asks, once', async () => {
    const { frames, hear, lines } = await listening()
    hear(spa(1))
    hear(spa(1), '198.18.0.9')
    expect(frames).to.deep.equal([
      {
        kind: 'request',
        protocol: 'spa',
        operation: 'open',
        sequence: 0,
        user: USER,
        resource: RESOURCE,
        address: CLIENT,
        lifetimeSeconds: 0,
      },
    ])
    expect(lines.join()).to.contain(
      'refused a knock from 198.18.0.9 (user 00000001, open 00000022): it was seen before',
    )
  })

  it('says nothing of strangers but a number', async () => {
    const { frames, hear, lines, listener, answers } = await listening()
    for (let i = 0; i < 10; i++) hear(new Uint8Array(100).fill(i))
    hear(knock(1, {}, new Uint8Array(32).fill(9)))
    listener.message({ kind: 'ping', sequence: 3 })
    expect(lines).to.deep.equal([])
    expect(answers).to.deep.equal([])
    expect(frames.map(({ kind }) => kind)).to.deep.equal(['counter', 'counter', 'pong'])
  })

  it('refuses by policy what the resource does not allow, and says whose knock it was and from where', async () => {
    const resources = [
      { id: RESOURCE, requireAddress: 'no' as const, maxLifetimeSeconds: 600, isControlPort: false, users: [USER] },
    ]
    const { frames, hear, lines } = await listening({ resources })
    hear(spa(1, { address: '192.0.2.7' }))
    hear(spa(2, { resource: 99 }))
    expect(frames).to.deep.equal([])
    expect(lines[0]).to.contain('from 198.18.0.2').and.to.contain('takes no address')
    expect(lines[1]).to.contain('there is no such resource')
  })

  it('passes on whom the kernel opened for by itself, and judges no instant datagram', async () => {
    const { listener, frames, hear } = await listening()
    const bytes = spa(1, { instant: true })
    hear(bytes)
    listener.heard({ group: 5801, prefix: 'postern instant 00000022', payload: packetOf(bytes) })
    expect(frames).to.deep.equal([{ kind: 'record', user: USER, resource: RESOURCE, address: CLIENT }])
  })

  it('takes a letmein exchange to its end, and answers when the monitor has', async () => {
    const { listener, frames, answers, hear } = await listening()
    hear(knock(1))
    expect(answers).to.have.length(1)
    hear(responseTo(answers[0]!.bytes))
    expect(frames).to.have.length(1)
    const [frame] = frames
    expect(frame).to.include({ kind: 'request', protocol: 'letmein', operation: 'open', address: CLIENT })
    expect(answers).to.have.length(1)
    listener.message({ kind: 'result', sequence: (frame as { sequence: number }).sequence, isDone: true })
    expect(answers).to.have.length(2)
    expect(decode(answers[1]!.bytes)).to.include({ operation: 'COMEIN', user: USER, resource: RESOURCE })
    expect(answers[1]).to.include({ to: `${CLIENT} 40000`, isLast: true })
    listener.message({ kind: 'result', sequence: (frame as { sequence: number }).sequence, isDone: true })
    expect(answers).to.have.length(2)
  })

  it('answers no recorded KNOCK and no RESPONSE a second time, from anywhere', async () => {
    const { frames, answers, hear } = await listening()
    hear(knock(1))
    const response = responseTo(answers[0]!.bytes)
    hear(response)
    hear(response)
    hear(response, '198.18.0.9')
    hear(knock(1))
    hear(knock(1), '198.18.0.9', 50_000)
    expect(answers).to.have.length(1)
    expect(frames).to.have.length(1)
  })

  it('says GOAWAY where the firewall could not, and where policy does not allow', async () => {
    const resources = [{ id: RESOURCE, requireAddress: 'yes' as const, maxLifetimeSeconds: 600, isControlPort: false }]
    const { listener, frames, answers, hear } = await listening()
    hear(knock(1))
    hear(responseTo(answers[0]!.bytes))
    listener.message({ kind: 'result', sequence: (frames[0] as { sequence: number }).sequence, isDone: false })
    expect(decode(answers[1]!.bytes)).to.include({ operation: 'GOAWAY' })
    const strict = await listening({ resources })
    strict.hear(knock(1))
    strict.hear(responseTo(strict.answers[0]!.bytes))
    expect(strict.frames).to.deep.equal([])
    expect(decode(strict.answers[1]!.bytes)).to.include({ operation: 'GOAWAY' })
  })

  it('takes no letmein where that is off, nor what is not for it', async () => {
    const { letmein: _, ...withoutLetmein } = settings
    const { frames, answers, listener, hear } = await listening()
    listener.message({ kind: 'settings', settings: withoutLetmein })
    await Promise.resolve()
    await new Promise(setImmediate)
    hear(knock(1))
    hear(encode({ operation: 'KNOCK', user: 5, resource: 5, salt: new Uint8Array(8), auth: ZERO_AUTH }))
    expect(answers).to.deep.equal([])
    expect(frames).to.deep.equal([])
  })
})
