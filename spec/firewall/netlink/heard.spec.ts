/** Bytes of real messages, captured in a namespace of kernel 6.18. */
import { expect } from 'chai'
import { readElements } from '../../../lib/firewall/netlink/elements.js'
import { decodeEvents } from '../../../lib/firewall/netlink/events.js'
import { messagesOf } from '../../../lib/firewall/netlink/message.js'
import { bindLog, decodeNflog, encodeBind, encodeWake } from '../../../lib/firewall/netlink/nflog.js'
import type { NetlinkSocket } from '../../../lib/firewall/netlink/socket.js'
import { MessageWriter } from '../../../lib/firewall/netlink/writer.js'
import type { SetElement } from '../../../lib/firewall/types.js'
import { datagramOf } from '../../../lib/wire/ip.js'

const hex = (text: string) => new Uint8Array(Buffer.from(text.replace(/\s/g, ''), 'hex'))

const LISTED = hex(`
  600000000c0a02004d000000c60100000100000206000100740000000600020073000000 3c000300 38000100 0c000100 08000100
  c6120001 0c000400000000000000ea60 0c000500000000000000ea60 0f0006000009753d3120723d32320000`)

const LOGGED = hex(`
  b8000000000400000000000000000000 02000006 0800010008000100 1d000a00706f737465726e20696e7374616e742030303030303032320000
  0000 0800040000000001 10000800000600000000000000000000 06000f0003040000 06001100000e0000
  120010000000000000000000000000000800 0000 14000300000000006b03214c00000000000ba16d
  2b000900 45000027fe1f400040113ea47f0000017f000001 ac6416a80013fe26 6b6e6f636b206b6e6f636b 00`)

const FLUSHED = hex(`
  300000000b0a000001000000d901000001000003 0600010074000000 0600020073000000 0c0010000000000000000002
  30000000050a000001000000d901000001000003 0600010074000000 0600030063000000 0c0002000000000000000001
  30000000020a000001000000d901000001000003 0600010074000000 0800030000000000 0c0004000000000000000001`)

const GENERATION = hex('2c0000000f0a000001000000d901000000000003 0800010000000003 08000200000001d9 080003006e667400')

describe('what a real kernel said', () => {
  it('of an element', () => {
    const found: SetElement[] = []
    for (const message of messagesOf(LISTED)) readElements(message, found)
    expect(found).to.deep.equal([{ key: hex('c6120001'), timeoutMs: 60_000, expiresMs: 60_000, comment: 'u=1 r=22' }])
  })

  it('of an element that has ended and waits to be collected: nothing', () => {
    const ended = LISTED.slice()
    ended.fill(0, 72, 80)
    const found: SetElement[] = []
    for (const message of messagesOf(ended)) readElements(message, found)
    expect(found).to.deep.equal([])
  })

  it('of a datagram', () => {
    const [packet, ...more] = decodeNflog(LOGGED)
    expect(more).to.deep.equal([])
    expect(packet).to.include({ group: 6, prefix: 'postern instant 00000022', inputInterface: 1 })
    expect(datagramOf(packet!.payload)).to.deep.equal({
      bytes: new TextEncoder().encode('knock knock'),
      source: '127.0.0.1',
      sourcePort: 0xac64,
      destination: '127.0.0.1',
      destinationPort: 5800,
    })
  })

  it('of a foreign flush', () => {
    expect(decodeEvents(FLUSHED)).to.deep.equal([
      { kind: 'set', change: 'deleted', family: 1, table: 't', name: 's', handle: 2n, portid: 473 },
      { kind: 'chain', change: 'deleted', family: 1, table: 't', name: 'c', handle: 1n, portid: 473 },
      { kind: 'table', change: 'deleted', family: 1, table: 't', handle: 1n, portid: 473 },
    ])
    expect(decodeEvents(GENERATION)).to.deep.equal([
      { kind: 'generation', id: 3, pid: 473, program: 'nft', portid: 473 },
    ])
  })
})

describe('what is said to NFLOG', () => {
  it('binds a group, whole packets up to 1024 bytes, each at once', () => {
    const writer = new MessageWriter()
    encodeBind(writer, 7, 5)
    expect(Buffer.from(writer.written()).toString('hex')).to.equal(
      '30000000010405000700000000000000000000050500010001000000' + '0a000200000004000200000008000500000000' + '01',
    )
  })

  it('wakes a reader with twenty bytes that ask for an answer', () => {
    expect(Buffer.from(encodeWake()).toString('hex')).to.equal('1400000010000500000000000000000000000000')
  })

  it('is said again where a buffer full of copies had no room for the answer', () => {
    let copies = 1000
    let answered = false
    let questions = 0
    const socket: NetlinkSocket = {
      write: (bytes) => {
        questions++
        // Room for an answer is only after some copies were read.
        if (copies === 1000) return
        answered = true
        expect(messagesOf(bytes)[0]).to.include({ sequence: 6 * 4096 + 1 })
      },
      read: () => {
        if (copies-- > 900) return LOGGED
        if (!answered) throw new Error('it would wait for ever')
        const answer = LOGGED.slice(0, 20)
        const view = new DataView(answer.buffer)
        view.setUint32(0, 20, true)
        view.setUint16(4, 2, true)
        view.setUint32(8, 6 * 4096 + 1, true)
        view.setInt32(16, 0, true)
        return answer
      },
    }
    bindLog(socket, 6)
    expect(questions).to.equal(2)
  })
})
