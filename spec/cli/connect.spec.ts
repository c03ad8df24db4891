import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { CONNECT_OPTIONS } from '../../lib/cli/knock-options.js'
import { Listener } from '../client/listener.js'
import { ALONE, clientOf } from '../support/client.js'
import { bundle, CONFIG, Home, ROOT } from './program.js'

describe('postern connect', () => {
  let home: Home
  let server: Server
  let port: number
  let serve: (socket: Socket) => void
  before(async () => {
    bundle()
    home = new Home(CONFIG)
    server = createServer({ allowHalfOpen: true }, (socket) => serve(socket.on('error', () => {})))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  })
  after(() => {
    server.close()
    home.remove()
  })

  const start = (words: readonly string[] = [], env = {}): ChildProcess => {
    const argv = ['connect', '127.0.0.1', String(port), '-r', '22', '-P', '9', ...words]
    return spawn(clientOf(ROOT), argv, { env: { PATH: process.env['PATH'], HOME: home.folder, ...env } })
  }
  const endOf = async (child: ChildProcess) => {
    const [out, err, [code, signal]] = await Promise.all([
      text(child.stdout!),
      text(child.stderr!),
      once(child, 'close'),
    ])
    return { out, err, code, signal }
  }
  const fine = { err: '', code: 0, signal: null }

  it('carries what is said, and nothing else', async () => {
    serve = (socket) => socket.pipe(socket)
    const child = start()
    child.stdin!.end('there and back')
    expect(await endOf(child)).to.deep.equal({ ...fine, out: 'there and back' })
  })

  it("knocks by fwknop's packet where that is asked for", async () => {
    serve = (socket) => socket.end('in')
    const knocks = await Listener.on(4)
    const stanza = `[gate]\nSPA_SERVER 127.0.0.1\nSPA_SERVER_PORT ${knocks.port}\nALLOW_IP source\nKEY secret\n`
    home.write('.fwknoprc', stanza)
    const words = ['connect', '--protocol', 'fwknop', '127.0.0.1', String(port), '-n', 'gate']
    const env = { PATH: process.env['PATH'], HOME: home.folder }
    const child = spawn(clientOf(ROOT), words, { env })
    child.stdin.end()
    expect(await endOf(child)).to.deep.equal({ ...fine, out: 'in' })
    await knocks.hasHeard(1)
    expect(knocks.heard[0]!.toString('latin1')).to.match(/^[A-Za-z0-9+/]{90,}$/)
    knocks.close()
  })

  it('ends its input for the server, which goes on', async () => {
    serve = (socket) => {
      let length = 0
      socket.on('data', (bytes) => {
        length += bytes.length
      })
      socket.on('end', () => socket.end(`heard ${length}`))
    }
    const child = start()
    child.stdin!.end('x'.repeat(300_000))
    expect(await endOf(child)).to.deep.equal({ ...fine, out: 'heard 300000' })
  })

  // Bun closes its standard output with the process alone.
  if (ALONE === undefined) {
    it('ends its output for the reader, who goes on', async () => {
      // On a busy machine the program may have dialled twice, and resets the connection that came second.
      const heard = new Promise<string>((resolve) => {
        serve = (socket) => {
          socket.once('data', (bytes) => resolve(String(bytes)))
          socket.end('that was all')
        }
      })
      const child = start()
      expect(await text(child.stdout!)).to.equal('that was all')
      child.stdin!.end('but not from here')
      const [code] = await once(child, 'close')
      expect({ code, heard: await heard }).to.deep.equal({ code: 0, heard: 'but not from here' })
    })
  }

  it('loses nothing to a reader who is slow', async () => {
    serve = (socket) => socket.end(Buffer.alloc(4 << 20, 'z'))
    const child = start()
    child.stdin!.end()
    let length = 0
    for await (const chunk of child.stdout!) {
      length += chunk.length
      if (length < 300_000) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(length).to.equal(4 << 20)
  })

  it('ends quietly where its reader has gone', async () => {
    serve = (socket) => {
      const talk = setInterval(() => socket.write(Buffer.alloc(100_000)), 5)
      socket.on('close', () => clearInterval(talk))
    }
    const child = start()
    child.stdout!.once('data', () => child.stdout!.destroy())
    const err = text(child.stderr!)
    const [code] = await once(child, 'exit')
    expect({ code, err: await err }).to.deep.equal({ code: 0, err: '' })
  })

  it('says so where the connection breaks (1)', async () => {
    serve = (socket) => socket.resume().once('data', () => socket.resetAndDestroy())
    const child = start()
    child.stdin!.write('x')
    const { out, err, code } = await endOf(child)
    expect({ out, code }).to.deep.equal({ out: '', code: 1 })
    expect(err).to.equal(`postern: the connection to 127.0.0.1 port ${port} broke (ECONNRESET)\n`)
  })

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    it(`ends by ${signal}, and the connection with it`, async () => {
      const closed = new Promise((resolve) => {
        serve = (socket) => {
          socket.write('here')
          socket.on('end', () => resolve(socket.end()))
          socket.resume()
        }
      })
      const child = start()
      await once(child.stdout!, 'data')
      child.kill(signal)
      expect((await endOf(child)).signal).to.equal(signal)
      await closed
    })
  }

  it('says what was tried where the port stays shut (1)', async () => {
    const child = spawn(clientOf(ROOT), 'connect --wait 0.2 127.0.0.1 8009 -r 80 -P 9'.split(' '), {
      env: { PATH: process.env['PATH'], HOME: home.folder },
    })
    const { out, err, code } = await endOf(child)
    expect({ out, code }).to.deep.equal({ out: '', code: 1 })
    expect(err).to.match(
      /^postern: port 8009 of 127\.0\.0\.1 is still shut 0\.2 s after .* \(TCP: 127\.0\.0\.1: refused\)\n$/,
    )
  })

  for (const [line, code, message] of [
    ['connect', 2, 'HOST is missing: expected HOST PORT'],
    ['connect gate', 2, 'PORT is missing: expected HOST PORT'],
    ['connect gate -r 22', 2, 'PORT is missing: expected HOST PORT'],
    ['connect gate 22 8000', 2, '2 ports: expected one: postern connect HOST PORT'],
    ['connect gate 22 --wait 0', 2, '--wait "0": expected seconds, 0.1–86400'],
    ['connect gate 22 --wait', 2, '--wait: expected a value behind it'],
    ['connect gate 22 --json', 2, '--json is no option'],
    ['connect gate 53', 2, 'resource 00000053 is UDP: expected a TCP port to connect to'],
    [
      'connect --fdpass gate 22',
      2,
      '--fdpass: expected to be started by ssh, with ProxyUseFdpass yes and ProxyCommand',
    ],
    ['connect gate 22 -u 2', 78, 'no key for user 00000002'],
    ['connect gate 2222', 78, 'no resource for port 2222'],
    ['connect no.such.invalid 22', 1, 'no.such.invalid: no address found ('],
  ] as const) {
    it(`refuses postern ${line} (${code})`, async () => {
      const { code: found, out, err } = await home.postern(line.split(' '))
      expect(err)
        .to.include(message)
        .and.match(/^postern: .*\n$/)
      expect({ found, out }).to.deep.equal({ found: code, out: '' })
    })
  }

  it('explains every option', async () => {
    const { out, code } = await home.postern(['connect', '--help'])
    for (const { name } of CONNECT_OPTIONS) expect(out).to.include(`--${name} `)
    expect(code).to.equal(0)
  })
})
