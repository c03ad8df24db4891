import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer } from 'node:net'
import { expect } from 'chai'
import fc from 'fast-check'
import { livePeers, peersIn } from '../../lib/client/tcp-connections.js'
import { poll } from '../support/poll.js'

const HEADER = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const row = (remote: string, state: string) =>
  `   0: 0201A8C0:D431 ${remote} ${state} 00000000:00000000 02:000AF0C4 00000000  1000        0 54321 2 0000000000000000 20 4 30 10 -1\n`
const at22 = (port: number) => port === 22

describe('the connections of this machine', () => {
  for (const [what, remote, address] of [
    ['IPv4', '0100007F:0016', '127.0.0.1'],
    ['IPv4', '017100CB:0016', '203.0.113.1'],
    ['IPv6', 'B80D0120000000000000000001000000:0016', '2001:db8::1'],
    ['IPv4 by an IPv6 socket', '0000000000000000FFFF0000017100CB:0016', '203.0.113.1'],
  ] as const) {
    it(`are read: ${what}, ${address}`, () =>
      expect(peersIn(HEADER + row(remote, '01'), at22, 'LE')).to.deep.equal([{ address, port: 22 }]))
  }

  it('are read on a machine of the other byte order', () =>
    expect(peersIn(row('CB007101:0016', '01'), at22, 'BE')).to.deep.equal([{ address: '203.0.113.1', port: 22 }]))

  it('count as long as something can come or go', () => {
    const live = ['01', '02', '03', '04', '05', '06', '07', '08', '09', '0A', '0B'].filter(
      (state) => peersIn(row('0100007F:0016', state), at22, 'LE').length === 1,
    )
    expect(live).to.deep.equal(['01', '05', '08'])
  })

  it('count at the ports that are meant', () =>
    expect(peersIn(row('0100007F:0017', '01'), at22, 'LE')).to.deep.equal([]))

  it('are none in whatever else a text may be', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789ABCDEF :\n') }), (text) => {
        expect(peersIn(`${text}\n${row('0100007F:0016', '01')}`, at22, 'LE')).to.deep.include({
          address: '127.0.0.1',
          port: 22,
        })
      }),
    )
    expect(peersIn('0: 0:0 zz 01\n1: 00:0016 0011:0016 01 \n', at22, 'LE')).to.deep.equal([])
  })

  it('are those that the kernel has, and gone when they are closed', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const isMeant = (candidate: number) => candidate === port
    expect(livePeers(isMeant)).to.deep.equal([])
    const accepted = once(server, 'connection')
    const client = createConnection(port, '127.0.0.1')
    const [socket] = await accepted
    expect(livePeers(isMeant)).to.deep.equal([{ address: '127.0.0.1', port }])
    client.destroy()
    socket.destroy()
    await poll('the connection is gone', () => livePeers(isMeant).length === 0)
    server.close()
  })
})
