import { spawn } from 'node:child_process'
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { PassThrough, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { BUCKET_BYTES, BUCKETS, Buckets } from '../../lib/client/buckets.js'
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

  it('holds no more than its buckets for a slow reader, and loses nothing', async () => {
    const all = randomBytes(16 << 20)
    const server = createServer((socket) => socket.end(all)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const buckets = new Buckets()
    const connection = connect({ host: '127.0.0.1', port, onread: buckets.onread })
    connection.pause()
    await once(connection, 'connect')
    const written: Buffer[] = []
    let isSlow = true
    let take: (() => void) | undefined
    const output = new Writable({
      write: (chunk: Buffer, _, done) => {
        take = () => {
          take = undefined
          // The bucket is read into again.
          written.push(Buffer.from(chunk))
          done()
        }
        if (!isSlow) take()
      },
    })
    buckets.pour(connection, output)
    await poll('it is held up', () => connection.isPaused())
    expect(output.writableLength).to.be.within(1, BUCKETS * BUCKET_BYTES)
    isSlow = false
    take?.()
    await once(connection, 'end')
    await poll('all is written', () => output.writableLength === 0)
    expect(Buffer.concat(written).equals(all)).to.equal(true)
    server.close()
  })

  describe('as a program between two pipes', () => {
    const program = fileURLToPath(new URL('relay-program.ts', import.meta.url))
    const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
    let server: Server
    let serve: (socket: Socket) => void
    const relayed = (shell: string) => {
      const { port } = server.address() as AddressInfo
      const words = [process.execPath, '--import', 'tsx', program, String(port)]
      return spawn('sh', ['-c', shell.replace('RELAY', words.map((word) => `'${word}'`).join(' '))])
    }
    beforeEach(async () => {
      server = createServer({ allowHalfOpen: true }, (socket) => serve(socket)).listen(0, '127.0.0.1')
      await once(server, 'listening')
    })
    afterEach(() => server.close())

    const some = () => randomInt(1, 6 << 20)
    for (const [what, upBytes, downBytes, endsFirst] of [
      ['nothing at all', 0, 0, 'both'],
      ['a bucket full, to the byte', BUCKET_BYTES, BUCKET_BYTES, 'both'],
      ['one byte more than a bucket', BUCKET_BYTES + 1, BUCKET_BYTES + 1, 'server'],
      ['some, and the server ends first', some(), some(), 'server'],
      ['some, and the client ends first', some(), some(), 'client'],
      ['so much that the pipes are widened', 24 << 20, 24 << 20, 'both'],
    ] as const)
      it(`carries ${what} (${upBytes} bytes up, ${downBytes} down)`, async () => {
        const [up, down] = [randomBytes(upBytes), randomBytes(downBytes)]
        let heard: Promise<Buffer> | undefined
        serve = (socket) => {
          // Not buffer(): that would destroy the socket at its end.
          const chunks: Buffer[] = []
          socket.on('data', (chunk) => chunks.push(chunk))
          heard = once(socket, 'end').then(() => Buffer.concat(chunks))
          const say = () => socket.end(down)
          if (endsFirst === 'client') void heard.then(say)
          else say()
        }
        // The shell keeps its own output open as long as one of them runs: so the reader says that it has read all.
        const child = relayed('cat | RELAY | { cat; echo read >&2; }')
        const told = buffer(child.stdout)
        let says = ''
        child.stderr.on('data', (chunk) => {
          says += chunk
        })
        if (endsFirst === 'server') await poll('the reader has it all', () => says.includes('read'))
        child.stdin.end(up)
        expect(hashOf(await told)).to.equal(hashOf(down))
        await poll('it has ended', () => says.includes('ended'))
        expect(says.split('\n').sort()).to.deep.equal(['', 'ended', 'read'])
        expect(hashOf(await heard!)).to.equal(hashOf(up))
      })

    it('ends when nobody reads on', async () => {
      serve = (socket) => socket.on('error', () => {}).write(randomBytes(8 << 20))
      const child = relayed('RELAY | head -c 100 >/dev/null')
      expect(String(await buffer(child.stderr))).to.equal('unread\n')
      child.stdin.end()
    })

    if (process.platform === 'linux')
      it('widens its pipes when much goes through', async () => {
        serve = (socket) => socket.on('data', () => {}).on('end', () => socket.end())
        // F_GETPIPE_SZ of what stands before it, until it is not the 64 KiB it began with.
        const wide = `perl -e 'for (1..2000) { $n = fcntl STDOUT, 1032, 0; last if $n > 65536; select undef, undef, undef, .01 } print STDERR "$n\\n"'`
        const child = relayed(`{ head -c 8388608 /dev/zero; ${wide}; } | RELAY`)
        expect(String(await buffer(child.stderr))).to.equal('1048576\nended\n')
      })
  })
})
