import { expect } from 'chai'
import { encodeMessage, type ListenerSettings, type Message, MessageReader } from '../../lib/daemon/settings.js'

const nonce = Uint8Array.from({ length: 16 }, (_, i) => i + 1)
const settings: ListenerSettings = {
  windowMs: 60_000,
  heardGroup: 5800,
  recordGroup: 5801,
  users: [{ id: 1, tag: new Uint8Array(32).fill(7), seal: new Uint8Array(32).fill(8) }],
  resources: [
    { id: 2, requireAddress: 'optional' as const, maxLifetimeSeconds: 600, isControlPort: false, users: [1] },
  ],
  people: [[1, { untilMs: 5, hours: [{ days: [1], fromMinute: 2, toMinute: 3 }], networks: ['192.0.2.0/24'] }]],
}
const start: Message = {
  kind: 'start',
  start: { untrustedBelowMs: 5, hearing: { wallMs: 1, monoMs: 2.5 }, replayEntries: 1000 },
  settings,
  horizonMs: 99,
}

describe('messages from the monitor', () => {
  it('come back as they were, keys as bytes, however the stream is cut', () => {
    const stream = Buffer.concat([nonce, encodeMessage(start), encodeMessage({ kind: 'horizon', horizonMs: 123 })])
    for (let size = 1; size < 60; size++) {
      const reader = new MessageReader(nonce)
      const read: Message[] = []
      for (let at = 0; at < stream.length; at += size) read.push(...reader.push(stream.subarray(at, at + size)))
      expect(read).to.deep.equal([start, { kind: 'horizon', horizonMs: 123 }])
    }
  })

  it('that were meant for an earlier listener are passed over', () => {
    const old = encodeMessage({ kind: 'ping', sequence: 9 })
    const stream = Buffer.concat([old.subarray(3), nonce.map((byte) => byte ^ 1), old, nonce, encodeMessage(start)])
    for (const size of [1, 7, stream.length]) {
      const reader = new MessageReader(nonce)
      const read: Message[] = []
      for (let at = 0; at < stream.length; at += size) read.push(...reader.push(stream.subarray(at, at + size)))
      expect(read).to.deep.equal([start])
    }
  })
})
