import { expect } from 'chai'
import type { ListenerFwknop } from '../../lib/daemon/settings.js'
import type { FwknopStanza } from '../../lib/gate/fwknop-stanza.js'
import { sealFwknop } from '../../lib/wire/fwknop.js'
import type { FwknopMessage } from '../../lib/wire/fwknop-text.js'
import type { FwknopKeys } from '../../lib/wire/fwknop-types.js'
import { MemoryDisk } from '../replay/memory-disk.js'
import { CLIENT, listening, NOW, spa } from './listening.js'

const STANZA_USER = 0xf1000000
const SSH = 0xf0000016
const WEB = 0xf0000050
const text = (word: string) => new Uint8Array(Buffer.from(word))
const KEYS: FwknopKeys = { key: text('a key'), mode: 'cbc', hmac: { key: text('an HMAC key'), digest: 'sha256' } }
const tcp = (port: number) => ({ protocol: 'tcp', port }) as const

const stanza: FwknopStanza = {
  user: STANZA_USER,
  title: 'access.conf:1',
  keys: KEYS,
  openPorts: [tcp(22), tcp(80)],
  restrictPorts: [],
  leaseSeconds: 30,
  maxSeconds: 300,
  requireAddress: false,
}
const fwknop: ListenerFwknop = {
  stanzas: [stanza],
  maxAgeMs: 120_000,
  resources: [
    ['tcp/22', { resource: SSH, opens: [tcp(22)], onlyNamed: false }],
    ['tcp/80', { resource: WEB, opens: [tcp(80)], onlyNamed: false }],
  ],
}
const resource = (id: number, more = {}) => ({
  id,
  users: [],
  requireAddress: 'optional' as const,
  maxLifetimeSeconds: 300,
  isControlPort: false,
  ...more,
})
const settings = { fwknop, resources: [resource(SSH), resource(WEB)] }

let serial = 0
function packet(more: Partial<FwknopMessage> = {}, keys = KEYS): Uint8Array {
  const message: FwknopMessage = {
    rand: String(++serial).padStart(16, '0'),
    username: 'somebody',
    timeSeconds: NOW / 1000,
    version: '3.0.0',
    type: 1,
    message: '0.0.0.0,tcp/22',
    timeoutSeconds: 0,
    digest: 'sha256',
    ...more,
  }
  return text(sealFwknop(message, keys, new Uint8Array(8).fill(serial)))
}

/** The files as they are, for a process that must not change them. */
function copyOf(disk: MemoryDisk): MemoryDisk {
  const copy = new MemoryDisk()
  for (const [name, { bytes }] of disk.files) copy.put(name, bytes)
  return copy
}

const counts = async (heard: Awaited<ReturnType<typeof listening>>) => {
  const { REASON_LIST } = await import('../../lib/daemon/reasons.js')
  return Object.fromEntries(heard.listener.counters.entries().map(([index, count]) => [REASON_LIST[index], count]))
}

describe('fwknop’s packets at the listener', () => {
  it('ask the monitor for each resource once, for the stanza, in one go', async () => {
    const { hear, frames } = await listening(settings)
    hear(packet({ message: '198.18.9.9,tcp/22,tcp/80,tcp/22', type: 3, timeoutSeconds: 1000 }))
    const frame = {
      kind: 'request',
      protocol: 'fwknop',
      operation: 'open',
      sequence: 0,
      user: STANZA_USER,
      address: '198.18.9.9',
      lifetimeSeconds: 300,
      heardMs: NOW,
    }
    expect(frames).to.deep.equal([
      { ...frame, resource: SSH, more: 1 },
      { ...frame, resource: WEB, more: 0 },
    ])
  })

  it('are taken once, from wherever they come and however they are spelt', async () => {
    const bare = { key: text('a bare key'), mode: 'cbc' } as const
    const accepting = { ...settings, fwknop: { ...fwknop, stanzas: [stanza, { ...stanza, keys: bare }] } }
    const heard = await listening(accepting)
    const [sealed, unsealed] = [packet(), packet({}, bare)]
    heard.hear(sealed)
    heard.hear(unsealed)
    expect(heard.frames).to.have.length(2)
    heard.hear(sealed, '198.18.2.2')
    for (const more of ['', '=', '==', 'A', '=A']) heard.hear(Buffer.concat([unsealed, text(more)]), '198.18.2.2')
    for (const more of ['=', 'A']) heard.hear(Buffer.concat([sealed, text(more)]))
    expect(heard.frames).to.have.length(2)
    const { replayed, ...others } = await counts(heard)
    expect(replayed).to.be.within(2, 6)
    expect(Object.keys(others).every((why) => why.startsWith('fwknop-'))).to.equal(true)
  })

  it('leave SPA’s knocks and letmein’s messages to them', async () => {
    const both = [...settings.resources, resource(0x22, { users: undefined })]
    const { hear, frames } = await listening({ ...settings, resources: both })
    hear(spa(1))
    hear(packet())
    hear(spa(2))
    expect(frames.map((frame) => frame.kind === 'request' && frame.protocol)).to.deep.equal(['spa', 'fwknop', 'spa'])
  })

  it('are no business of anybody’s where fwknop is off, nor is what is no packet where it is on', async () => {
    const off = await listening({ resources: settings.resources })
    off.hear(packet())
    expect(await counts(off)).to.deep.equal({ tag: 1 })
    const on = await listening(settings)
    on.hear(new Uint8Array(200))
    on.hear(new Uint8Array(300))
    on.hear(text('a'.repeat(100)))
    expect(await counts(on)).to.deep.equal({ tag: 2, length: 1 })
  })

  it('are refused with a counted reason, and a line in the log where they show the key', async () => {
    const heard = await listening(settings)
    heard.hear(packet({}, { ...KEYS, hmac: { key: text('a stranger’s'), digest: 'sha256' } }))
    expect(heard.lines).to.deep.equal([])
    heard.hear(packet({ message: '0.0.0.0,tcp/23' }))
    heard.hear(packet({ timeSeconds: NOW / 1000 - 121 }))
    const again = packet()
    heard.hear(again)
    heard.hear(again)
    expect(heard.lines).to.have.length(3)
    expect(heard.lines[0]).to.match(
      /^refused a knock from 198\.18\.0\.2 \(access\.conf:1\): fwknop: .*OPEN_PORTS.*tcp\/23/,
    )
    expect(heard.lines[1]).to.match(/\(access\.conf:1\): fwknop: its time is too far from ours/)
    expect(heard.lines[2]).to.match(/\(access\.conf:1, open F0000016\): it was seen before/)
    expect(await counts(heard)).to.deep.equal({ 'fwknop-hmac': 1, 'fwknop-ports': 1, 'fwknop-age': 1, replayed: 1 })
  })

  it('that one resource refuses open none', async () => {
    const strict = { ...settings, resources: [resource(SSH), resource(WEB, { requireAddress: 'yes' })] }
    const heard = await listening(strict)
    heard.hear(packet({ message: '0.0.0.0,tcp/22,tcp/80' }))
    expect(heard.frames).to.deep.equal([])
    expect(await counts(heard)).to.deep.equal({ 'address-required': 1 })
    heard.hear(packet({ message: `${CLIENT},tcp/22,tcp/80` }))
    expect(heard.frames).to.have.length(2)
  })

  it('with an age of an hour reach back an hour, and five minutes ahead', async () => {
    const old = { ...settings, fwknop: { ...fwknop, maxAgeMs: 3_600_000 } }
    const heard = await listening(old, { horizonMs: NOW + 300_000 })
    heard.listener.message({ kind: 'hearing', hearing: { wallMs: NOW - 7_200_000, monoMs: -6_200_000 } })
    for (const [seconds, frames] of [
      [-3600, 1],
      [300, 2],
      [301, 2],
      [-3601, 2],
    ] as const) {
      heard.hear(packet({ timeSeconds: NOW / 1000 + seconds }))
      expect(heard.frames, `${seconds} s`).to.have.length(frames)
    }
    expect(await counts(heard)).to.deep.equal({ 'fwknop-age': 2 })
  })

  it('are never taken twice, whether listener or journal goes', async () => {
    const [disk, moment] = [new MemoryDisk(), { wallMs: NOW, monoMs: 1_000_000 }]
    const wide = { ...settings, fwknop: { ...fwknop, maxAgeMs: 600_000 } }
    const first = await listening(wide, { disk, moment, horizonMs: NOW + 300_000 })
    // SPA's knocks go sooner: what they leave behind must not be the floor of fwknop's.
    first.hear(spa(1))
    const packets = [-90, 0, 90, 299].map((seconds) => packet({ timeSeconds: NOW / 1000 + seconds }))
    for (const one of packets) first.hear(one)
    expect(first.frames.filter((frame) => frame.kind === 'request' && frame.protocol === 'fwknop')).to.have.length(4)

    for (const laterMs of [1000, 200_000, 899_000]) {
      const then = { wallMs: NOW + laterMs, monoMs: 1_000_000 + laterMs }
      const anew = await listening(wide, { disk, moment: then, horizonMs: NOW + laterMs + 300_000 })
      for (const one of packets) anew.hear(one)
      expect(anew.frames, `${laterMs} ms later, the journal read back`).to.deep.equal([])
      // What lies at or below the horizon that was written is refused.
      for (const [what, lost] of [
        ['without a journal', {}],
        ['in another boot', { disk: copyOf(disk), boot: 2 }],
      ] as const) {
        const bounds = { moment: then, untrustedBelowMs: NOW + 300_000, horizonMs: NOW + laterMs + 300_000 }
        const without = await listening(wide, { ...lost, ...bounds })
        for (const one of packets) without.hear(one)
        expect(without.frames, `${laterMs} ms later, ${what}`).to.deep.equal([])
      }
    }
    const later = { wallMs: NOW + 200_000, monoMs: 1_200_000 }
    const anew = await listening(wide, { disk, moment: later, horizonMs: NOW + 500_000 })
    anew.hear(packet({ timeSeconds: NOW / 1000 + 101 }))
    expect(anew.frames, 'a new one').to.have.length(1)
  })
})
