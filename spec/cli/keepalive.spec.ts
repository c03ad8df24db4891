import { chmodSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { readRows } from '../../lib/cli/keepalive-file.js'
import { KEEPALIVE_OPTIONS } from '../../lib/cli/keepalive-options.js'
import { parsePlain } from '../../lib/cli/plain.js'
import { type Knock, open } from '../../lib/wire/spa.js'
import { deriveKey } from '../../lib/wire/spa-keys.js'
import { Listener } from '../client/listener.js'
import { bundle, CONFIG, Home, KEY } from './program.js'

const sealKey = deriveKey(Uint8Array.from(Buffer.from(KEY, 'hex')), 'gate', 'seal')
const NOTHING = { positionals: [], values: {} }

describe("keepalive's file", () => {
  it('is a command line for each host, with what goes for all of them', () => {
    const text = '# hosts\n\ngate 22 --lifetime 10m\n  other\t22 8443 -4 -u2 # no\n'.replace(' # no', '')
    const common = { positionals: [], values: { user: '1', quiet: true } } as const
    expect(readRows(text, 'f', common)).to.deep.equal([
      { line: 3, args: { positionals: ['gate', '22'], values: { user: '1', quiet: true, lifetime: '10m' } } },
      { line: 4, args: { positionals: ['other', '22', '8443'], values: { user: '2', quiet: true, ipv4: true } } },
    ])
  })

  it('may have the line ends of Windows', () =>
    expect(readRows('gate 22\r\n\r\n', 'f', NOTHING)).to.deep.equal([
      { line: 1, args: { positionals: ['gate', '22'], values: {} } },
    ]))

  for (const [line, message] of [
    ['gate 22 --liftime 5', '"--liftime" is no option: did you mean --lifetime?'],
    ['gate 22 --colour', '"--colour" is no option'],
    ['gate 22 --once', '--once: expected on the command line, not in the file'],
    ['gate 22 --file x', '--file: expected on the command line, not in the file'],
    [
      'gate 22 -x',
      'an option without its value, twice or unknown: expected HOST PORT… [options], like gate.example.org 22',
    ],
    ['gate 22 --every', 'an option without its value, twice or unknown: expected HOST PORT'],
    ['gate 22 --every 5 --every 6', 'an option without its value, twice or unknown: expected HOST PORT'],
  ] as const) {
    it(`is refused with the line's number: ${line}`, () =>
      expect(() => readRows(`a 1\n${line}\n`, 'f', NOTHING)).to.throw(`f:2: ${message}`))
  }

  it('is refused where it names no host, with a line that is right', () =>
    expect(() => readRows('# nothing\n', 'f', NOTHING)).to.throw(
      'f: no host: expected a line HOST PORT… [options], like',
    ))
})

describe('the samples of keepalive in conf/', () => {
  const conf = (name: string) => readFileSync(new URL(`../../conf/${name}`, import.meta.url), 'utf8')

  it('keepalive.conf is read, with the lines that are only comments too', () => {
    expect(readRows(conf('keepalive.conf'), 'f', NOTHING)).to.have.length(1)
    const all = conf('keepalive.conf').replaceAll(/^# ([a-z]+\.example\.org .*)$/gm, '$1')
    const options = readRows(all, 'f', NOTHING).map(({ args }) => Object.keys(args.values))
    expect(options).to.deep.equal([[], ['lifetime'], ['while-connected'], ['protocol', 'every']])
  })

  it('the units run what there is', () => {
    const commands = ['service', 'once.service', 'once.timer'].flatMap((end) => {
      const name = `postern-keepalive${end === 'service' ? '.' : '-'}${end}`
      return [...conf(`systemd/user/${name}`).matchAll(/^ExecStart=postern keepalive (.*)$/gm)].map(
        ([, words]) => words!,
      )
    })
    for (const words of commands) expect(parsePlain(words.split(' '), KEEPALIVE_OPTIONS), words).to.not.equal(undefined)
    expect(commands).to.have.length(2)
    expect(conf('cron.example')).to.match(/ postern keepalive --once server\.example\.org 22$/m)
  })
})

describe('postern keepalive', () => {
  let home: Home
  let server: Listener
  before(() => {
    bundle()
    home = new Home(CONFIG)
  })
  after(() => home.remove())
  beforeEach(async () => {
    server = await Listener.on(4)
  })
  afterEach(() => server.close())
  const postern = (line: string, env?: Record<string, string>) => home.postern(['keepalive', ...line.split(' ')], env)
  const heard = async (count: number) => {
    await server.hasHeard(count)
    return server.heard.map((bytes) => open(bytes, sealKey) as Knock)
  }

  it('--once knocks once and says nothing', async () => {
    expect(await postern(`--once -P ${server.port} 127.0.0.1 22`)).to.deep.equal({ code: 0, out: '', err: '' })
    expect(await heard(1)).to.have.length(1)
  })

  it('--once knocks for all lines of a file, each with its own options', async () => {
    const file = home.write('hosts', `127.0.0.1 22\n127.0.0.1 8001 --lifetime 5m\n`)
    expect(await postern(`--once -P ${server.port} -f ${file}`)).to.deep.equal({ code: 0, out: '', err: '' })
    const knocks = (await heard(2)).map(({ resource, lifetimeSeconds }) => [resource, lifetimeSeconds])
    expect(knocks).to.have.deep.members([
      [0x22, 0],
      [0x80, 300],
    ])
  })

  it('--once says what failed (1), and does the others', async () => {
    const file = home.write('hosts', 'no.such.invalid 22\n127.0.0.1 22\n')
    const { code, out, err } = await postern(`--once -P ${server.port} -f ${file}`)
    expect({ code, out }).to.deep.equal({ code: 1, out: '' })
    expect(err).to.match(/^postern: port 22 of no\.such\.invalid: no address found \(.*\n$/)
    expect(await heard(1)).to.have.length(1)
  })

  it('names all lines of its file that are wrong, and knocks for none', async () => {
    const file = home.write(
      'hosts',
      '127.0.0.1 22 --every 5\n127.0.0.1 22\ngate 0\ngate 99\n 127.0.0.1  22 --every 5\n',
    )
    const { code, out, err } = await postern(`-P ${server.port} -f ${file}`)
    expect({ code, out }).to.deep.equal({ code: 78, out: '' })
    for (const line of [
      `${file}:2: `,
      'port 22: how long a lease lasts is not known',
      `${file}:3: PORT "0": expected 1–65535`,
      `${file}:4: `,
      'no resource for port 99',
      `${file}:5: the same as line 1: expected it once`,
    ])
      expect(err).to.include(line)
  })

  it('refuses a file that others can write (77)', async () => {
    const file = home.write('open', '127.0.0.1 22\n')
    chmodSync(file, 0o666)
    const { code, err } = await postern(`-f ${file}`)
    expect(code).to.equal(77)
    expect(err).to.include('chmod')
  })

  it('takes the host from the environment, as knock does', async () => {
    expect((await postern(`--once -P ${server.port} 22`, { POSTERN_HOST: '127.0.0.1' })).code).to.equal(0)
    await heard(1)
  })

  it("knocks by fwknop's packet, with the keys of its own file", async () => {
    const rc = home.write('fwknoprc', '[default]\nKEY secret\nHMAC_KEY secret2\nUSE_HMAC Y\nALLOW_IP source\n')
    const words = `--once --protocol fwknop --fwknoprc ${rc} -P ${server.port} 127.0.0.1 tcp/22`
    expect(await postern(words)).to.deep.equal({ code: 0, out: '', err: '' })
    await server.hasHeard(1)
    expect(server.heard[0]!.toString('latin1')).to.match(/^[A-Za-z0-9+/]{100,}$/)
    const { code, err } = await postern(words.replace('--once ', ''))
    expect(code).to.equal(2)
    expect(err).to.include(
      "127.0.0.1: how long fwknop's port stays open is not known: use --lifetime 10m or --every 4m",
    )
  })

  it('--while-connected knocks nowhere without a connection', async () => {
    const ran = await postern(`--once --while-connected -P ${server.port} 127.0.0.1 22`)
    expect(ran).to.deep.equal({ code: 0, out: '', err: '' })
    await postern(`--once -P ${server.port} 127.0.0.1 22`)
    const knocks = await heard(1)
    expect(
      knocks.map(({ operation }) => operation),
      'the second one alone',
    ).to.deep.equal(['open'])
  })
})
