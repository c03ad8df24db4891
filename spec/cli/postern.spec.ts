import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { KNOCK_OPTIONS, REVOKE_OPTIONS } from '../../lib/cli/knock-options.js'
import { type Knock, open } from '../../lib/wire/spa.js'
import { deriveKey, deriveKeys, slotOf, tagsOf, tokensOf } from '../../lib/wire/spa-keys.js'
import { Listener } from '../client/listener.js'
import { bundle, CONFIG, Home, KEY, ROOT } from './program.js'

const key = Uint8Array.from(Buffer.from(KEY, 'hex'))
const sealKey = deriveKey(key, 'gate', 'seal')

describe('the postern program', () => {
  let home: Home
  before(() => {
    bundle()
    home = new Home(CONFIG)
  })
  after(() => home.remove())
  const postern = (line: string, env?: Record<string, string>) => home.postern(line === '' ? [] : line.split(' '), env)

  describe('knocks', () => {
    let server: Listener
    beforeEach(async () => {
      server = await Listener.on(4)
    })
    afterEach(() => server.close())
    const heard = async (count: number) => {
      await server.hasHeard(count)
      return server.heard.map((bytes) => open(bytes, sealKey) as Knock)
    }

    it('with what the file says, and tells so in a sentence', async () => {
      const ran = await postern(`knock 127.0.0.1 22 -P ${server.port}`)
      expect(ran).to.deep.equal({ code: 0, out: 'knocked for port 22 at 127.0.0.1\n', err: '' })
      const [knock] = await heard(1)
      expect(knock).to.include({ operation: 'open', user: 1, resource: 0x22, lifetimeSeconds: 0, instant: false })
      expect(Math.abs(Date.now() - knock!.timeMs)).to.be.lessThan(60_000)
    })

    it('with every option that the datagram carries', async () => {
      const line = `knock -q -P ${server.port} --lifetime 1h --address 2001:db8::7 127.0.0.1 8001`
      expect(await postern(line)).to.deep.equal({ code: 0, out: '', err: '' })
      const [knock] = await heard(1)
      expect(knock).to.include({ resource: 0x80, lifetimeSeconds: 3600, address: '2001:db8::7', instant: false })
    })

    it('with tag and token of the slot, as the server makes them', async () => {
      await postern(`knock -q -P ${server.port} 127.0.0.1 8001`)
      const [first, second] = await heard(2)
      expect([first!.instant, second!.instant]).to.deep.equal([true, false])
      const keys = deriveKeys(key, 'gate')
      const slot = slotOf(first!.timeMs)
      const holds = (many: Uint8Array, one: Uint8Array) => Buffer.from(many).includes(Buffer.from(one))
      for (const bytes of server.heard) expect(holds(tagsOf(keys.tag, slot), bytes.subarray(0, 8))).to.equal(true)
      expect(holds(tokensOf(keys.instant, slot, 0x80), server.heard[0]!.subarray(8, 24))).to.equal(true)
    })

    it('once only at an instant resource with --single', async () => {
      const { out } = await postern(`knock --json --single -P ${server.port} 127.0.0.1 8001`)
      expect(JSON.parse(out)).to.include({ sent: 1 })
      expect((await heard(1))[0]).to.include({ instant: true })
    })

    it('for several ports, and prints one object with --json', async () => {
      const { code, out, err } = await postern(`knock --json -P ${server.port} 127.0.0.1 22 8001`)
      expect({ code, err }).to.deep.equal({ code: 0, err: '' })
      expect(JSON.parse(out)).to.deep.equal({
        operation: 'open',
        host: '127.0.0.1',
        user: '00000001',
        addresses: ['127.0.0.1'],
        sent: 3,
        failed: [],
        knocks: [
          { resource: '00000022', port: 22 },
          { resource: '00000080', port: 8001 },
        ],
        warnings: [],
      })
      expect((await heard(3)).map(({ resource }) => resource)).to.deep.equal([0x22, 0x80, 0x80])
    })

    it('to prolong, and to shut again', async () => {
      expect((await postern(`knock --extend -P ${server.port} 127.0.0.1 22`)).out).to.match(/^asked to prolong port 22/)
      expect((await postern(`revoke -P ${server.port} 127.0.0.1 22`)).out).to.match(/^asked to shut port 22/)
      expect((await heard(2)).map(({ operation }) => operation)).to.deep.equal(['extend', 'revoke'])
    })

    it('without a configuration, with key file, resource and realm', async () => {
      const bare = new Home()
      const path = bare.write('laptop.key', `00000007 = ${KEY}\n`)
      const line = `knock -k ${path} -r 99 --realm gate -P ${server.port} 127.0.0.1`
      expect((await bare.postern(line.split(' '))).out).to.equal('knocked for resource 00000099 at 127.0.0.1\n')
      expect((await heard(1))[0]).to.include({ user: 7, resource: 0x99 })
      bare.remove()
    })

    it('as the environment says', async () => {
      const env = { POSTERN_HOST: '127.0.0.1', POSTERN_CONFIG: home.config, HOME: '/nonexistent' }
      expect(await postern(`knock -q 22 -P ${server.port}`, env)).to.deep.equal({ code: 0, out: '', err: '' })
      await heard(1)
    })

    it('as an environment file says that is named', async () => {
      const path = home.write('cron.env', 'POSTERN_HOST=127.0.0.1\nPOSTERN_USER=1\n')
      const ran = await postern(`knock -q 22 -P ${server.port} --env-file ${path}`)
      expect(ran).to.deep.equal({ code: 0, out: '', err: '' })
      await heard(1)
    })

    it('through a symbolic link, as npm installs it', async () => {
      const link = join(home.folder, 'knocker')
      symlinkSync(join(ROOT, 'bin/postern'), link)
      execFileSync(link, ['knock', '-q', '-P', String(server.port), '127.0.0.1', '22'], {
        env: { ...process.env, HOME: home.folder },
      })
      await heard(1)
    })

    for (const [what, damage] of [
      ['without the code that V8 compiled', (cache: string) => rmSync(cache)],
      ['with an empty file in its place', (cache: string) => truncateSync(cache, 0)],
      ['with half of it', (cache: string) => truncateSync(cache, 50_000)],
      ['with something else in its place', (cache: string) => writeFileSync(cache, 'x'.repeat(100_000))],
    ] as const) {
      it(`the same ${what}`, async () => {
        const other = new Home(CONFIG)
        const { root, cache } = other.copyOfPrograms()
        damage(cache)
        const line = `knock -q -P ${server.port} 127.0.0.1 22`
        expect(await other.postern(line.split(' '), {}, root)).to.deep.equal({ code: 0, out: '', err: '' })
        expect((await heard(1))[0]).to.include({ user: 1, resource: 0x22 })
        other.remove()
      })
    }

    it('the same from the words that yargs takes apart', async () => {
      expect((await postern(`knock --quiet=true -P ${server.port} 127.0.0.1 22`)).code).to.equal(0)
      expect((await heard(1))[0]).to.include({ user: 1, resource: 0x22 })
    })
  })

  describe('waits', () => {
    it('until the port is open (0)', async () => {
      const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      const { code, out } = await postern(`knock --wait 127.0.0.1 ${port} -r 22 -P 9`)
      expect(out).to.match(new RegExp(`^port ${port} of 127.0.0.1 is open \\(127.0.0.1, after \\d+ ms\\)\n$`))
      expect(code).to.equal(0)
      server.close()
    })

    it('and says what to look at when it stays shut (1)', async () => {
      const { code, out, err } = await postern('knock --quiet --wait --timeout 0.2 127.0.0.1 8009 -P 9')
      expect({ code, out }).to.deep.equal({ code: 1, out: '' })
      expect(err).to.match(
        /^postern: port 8009 of 127.0.0.1 is still shut 0.2 s after the knock at 127.0.0.1: postern doctor 127.0.0.1 looks for the cause; on the server posternd log/,
      )
    })

    it('and says in JSON which port is open', async () => {
      const { code, out } = await postern('knock --json --wait --timeout 0.2 127.0.0.1 8009 -P 9')
      expect(code).to.equal(1)
      expect(JSON.parse(out).knocks).to.deep.equal([{ resource: '00000080', port: 8009, open: null }])
    })
  })

  describe('explains', () => {
    for (const [command, options] of [
      ['knock', KNOCK_OPTIONS],
      ['revoke', REVOKE_OPTIONS],
    ] as const) {
      it(`every option of ${command}, with examples and exit codes`, async () => {
        const { code, out } = await postern(`${command} --help`)
        for (const { name, alias } of options) {
          expect(out).to.match(new RegExp(`  ${alias === undefined ? '    ' : `-${alias}, `}--${name} `))
        }
        expect(out)
          .to.include('Examples:')
          .and.include('Exit codes:')
          .and.match(/ 77 .*permissions/)
        expect(code).to.equal(0)
      })
    }

    it('every command', async () => {
      const { code, out } = await postern('--help')
      for (const name of ['knock', 'revoke', 'gen-key', 'import', 'completion'])
        expect(out).to.include(`postern ${name}`)
      expect(code).to.equal(0)
    })

    it('its version', async () => {
      for (const line of ['--version', 'knock --version']) {
        expect((await postern(line)).out).to.match(/^\d+\.\d+\.\d+\n$/)
      }
    })
  })

  it('makes keys: a fresh line each time', async () => {
    const [first, second] = await Promise.all([postern('gen-key -u 2a'), postern('gen-key -u 2a')])
    expect(first.out).to.match(/^0000002A = [0-9A-F]{64}\n$/)
    expect(first.out).not.to.equal(second.out)
    const { out } = await postern('gen-key --json')
    expect(JSON.parse(out)).to.have.keys('user', 'key')
  })
})
