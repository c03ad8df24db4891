import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { PassThrough, Writable } from 'node:stream'
import { expect } from 'chai'
import { relay } from '../../lib/client/relay.js'
import { poll } from '../support/poll.js'

describe('what stands between ssh and a server', () => {
  it('ends its output when all is written, however little waited for a slow reader', async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => socket.end('bye')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const connection = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    await once(connection, 'connect')
    const written: string[] = []
    let take: (() => void) | undefined
    const output = new Writable({
      write: (chunk, _, done) => {
        take = () => {
          take = undefined
          written.push(String(chunk))
          done()
        }
      },
    })
    const input = new PassThrough()
    let isClosed = false
    const over = relay(connection, { input, output, closeOutput: () => (isClosed = true) })
    await once(connection, 'end')
    expect([output.writableLength, isClosed]).to.deep.equal([3, false])
    await poll('the output is closed', () => {
      take?.()
      return isClosed
    })
    expect(written.join('')).to.equal('bye')
    input.end()
    expect(await over).to.deep.equal({ kind: 'ended' })
    server.close()
  })
})
