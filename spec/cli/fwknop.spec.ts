import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect } from 'chai'
import { openFwknop } from '../../lib/wire/fwknop.js'
import type { FwknopKeys } from '../../lib/wire/fwknop-types.js'
import { Listener } from '../client/listener.js'
import { bundle, CONFIG, Home } from './program.js'

const KEY = 'fsmnkaD+Yt30B3I5B8ngyYt10s0Vu+wfTrPSGZey4oU='
const HMAC_KEY = 'kA8e1QxzlFZZBCvaMfxO1fNCd7DnYxQa9rz++b67QPGK8ex9swaCvm3b1PmCezHB2DNO7hXyJRzNThwG7QxENA=='
const keys: FwknopKeys = {
  key: Buffer.from(KEY, 'base64'),
  mode: 'cbc',
  hmac: { key: Buffer.from(HMAC_KEY, 'base64'), digest: 'sha256' },
}
/** As fwknop --key-gen --save-rc-stanza leaves it. */
const rcFor = (port: number) => `[default]
ALLOW_IP source
SPA_SERVER_PORT ${port}

[gate]
SPA_SERVER          127.0.0.1
ACCESS              tcp/22,udp/1194
KEY_BASE64          ${KEY}
HMAC_KEY_BASE64     ${HMAC_KEY}
USE_HMAC            Y
FW_TIMEOUT          77

[Other]
SPA_SERVER          localhost
ACCESS              tcp/443
ALLOW_IP            resolve
KEY                 passphrase
`

describe('the postern program knocks by fwknop’s packet', () => {
  let home: Home
  let server: Listener
  before(bundle)
  beforeEach(async () => {
    home = new Home()
    server = await Listener.on(4)
    home.write('.fwknoprc', rcFor(server.port))
  })
  afterEach(() => {
    server.close()
    home.remove()
  })
  const postern = (line: string, env: Record<string, string> = { LOGNAME: 'alice' }) =>
    home.postern(line.split(' '), env)
  const heard = (index = 0, own = keys) => {
    const message = openFwknop(server.heard[index]!, own)
    if ('why' in message) throw new Error(message.why)
    return message
  }

  it('with the keys of the stanza that HOST names, for the ports that it names (0)', async () => {
    expect(await postern('knock --protocol fwknop gate')).to.deep.equal({
      code: 0,
      out: "knocked by fwknop's packet for tcp/22, udp/1194 at 127.0.0.1\n",
      err: '',
    })
    await server.hasHeard(1)
    expect(heard()).to.deep.include({
      username: 'alice',
      message: '0.0.0.0,tcp/22,udp/1194',
      timeoutSeconds: 77,
      digest: 'sha256',
    })
    expect(heard().timeSeconds).to.be.closeTo(Date.now() / 1000, 10)
  })

  it('for the ports of the command line, the stanza found by its SPA_SERVER, by --stanza, and without HOST', async () => {
    const lines = [
      '--protocol fwknop 127.0.0.1 2222',
      '-n GATE 127.0.0.1 tcp/2222',
      '-n gate 2222',
      '--stanza gate tcp/2222',
    ]
    for (const [index, line] of lines.entries()) {
      expect(await postern(`knock -q ${line}`), line).to.deep.equal({ code: 0, out: '', err: '' })
      await server.hasHeard(index + 1)
      expect(heard(index).message, line).to.equal('0.0.0.0,tcp/2222')
    }
  })

  it('with lifetime, address, user, source port and clock of the command line', async () => {
    const from = server.port === 65_535 ? 1024 : server.port + 1
    const line = `-n gate -l 2m -a 203.0.113.9 --spoof-user bob --source-port ${from} --time-offset=-1h 22`
    expect((await postern(`knock -q ${line}`)).err).to.equal('')
    await server.hasHeard(1)
    expect(heard()).to.deep.include({ message: '203.0.113.9,tcp/22', timeoutSeconds: 120, username: 'bob' })
    expect(heard().timeSeconds).to.be.closeTo(Date.now() / 1000 - 3600, 10)
    expect(server.sources).to.deep.equal([from])
  })

  it('says its own address where that is asked for', async () => {
    await postern('knock -n gate -a auto 22')
    await server.hasHeard(1)
    expect(heard().message).to.equal('127.0.0.1,tcp/22')
  })

  it('takes resolve for source, and says so; asks nobody', async () => {
    const { code, err } = await postern('knock -n other 443')
    await server.hasHeard(1)
    expect(heard(0, { key: Buffer.from('passphrase'), mode: 'cbc' }).message).to.equal('0.0.0.0,tcp/443')
    expect(err).to.match(/ALLOW_IP resolve: no web service is asked: .* name yours by --address\n/)
    expect(err).to.match(/\.fwknoprc \[Other\]: no HMAC_KEY: .*add HMAC_KEY_BASE64 here and to access.conf\n/)
    expect(code).to.equal(0)
  })

  it('where [CLIENT] protocol says so, with the keys of a file that is named', async () => {
    home.write('.config/postern/postern.conf', '[CLIENT]\nprotocol = fwknop\n')
    const rc = home.write('elsewhere', rcFor(server.port))
    home.write('.fwknoprc', '[default]\n')
    expect(await postern(`knock -q --fwknoprc ${rc} gate tcp/22`)).to.deep.equal({ code: 0, out: '', err: '' })
    await server.hasHeard(1)
  })

  it('with the file and stanza of [FWKNOP], and a server of the client’s file by its name', async () => {
    const rc = home.write('elsewhere', rcFor(server.port).replace('SPA_SERVER          127.0.0.1\n', ''))
    home.write('.fwknoprc', '[default]\n')
    const hosts = '[HOST office]\naddress = 127.0.0.1\nprotocol = fwknop\n'
    home.write('.config/postern/postern.conf', `${CONFIG}[FWKNOP]\nrc-file = ${rc}\nstanza = gate\n${hosts}`)
    expect(await postern('knock -q office 2222')).to.deep.equal({ code: 0, out: '', err: '' })
    await server.hasHeard(1)
    expect(heard().message).to.equal('0.0.0.0,tcp/2222')
    home.write(
      '.config/postern/postern.conf',
      `[FWKNOP]\nrc-file = ~/elsewhere\n[HOST gate]\naddress = 127.0.0.1\nprotocol = fwknop\n`,
    )
    expect(await postern('knock -q gate')).to.deep.equal({ code: 0, out: '', err: '' })
    await server.hasHeard(2)
    expect(heard(1).message).to.equal('0.0.0.0,tcp/22,udp/1194')
  })

  it('tells programs', async () => {
    const { out } = await postern('knock --json -n gate')
    expect(JSON.parse(out)).to.deep.equal({
      operation: 'open',
      protocol: 'fwknop',
      host: '127.0.0.1',
      user: 'alice',
      addresses: ['127.0.0.1'],
      sent: 1,
      failed: [],
      knocks: [
        { port: 22, protocol: 'tcp' },
        { port: 1194, protocol: 'udp' },
      ],
      warnings: [],
    })
  })

  it('and waits for the port (0)', async () => {
    const service = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
    await once(service, 'listening')
    const { port } = service.address() as AddressInfo
    const { code, out } = await postern(`knock --wait -n gate tcp/${port} udp/53`)
    service.close()
    expect(out).to.match(new RegExp(`^port ${port} of 127.0.0.1 is open \\(127.0.0.1, after \\d+ ms\\)\n$`))
    expect(code).to.equal(0)
  })

  it('and connects, for ssh', async () => {
    const service = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1')
    await once(service, 'listening')
    const { port } = service.address() as AddressInfo
    expect(await postern(`connect --protocol fwknop gate ${port}`)).to.deep.equal({ code: 0, out: 'hello', err: '' })
    service.close()
    await server.hasHeard(1)
    expect(heard().message).to.equal(`0.0.0.0,tcp/${port}`)
  })

  it('and says what to do where it stays shut (1)', async () => {
    const { code, err } = await postern('knock --wait --timeout 0.3 -n gate 9')
    expect(err).to.match(
      /^postern: port 9 of 127.0.0.1 is still shut 0.3 s after the knock at 127.0.0.1: look at the server's log .* compare \S+\.fwknoprc \[gate\] with its access.conf: KEY, HMAC_KEY,/,
    )
    expect(code).to.equal(1)
  })

  it('finds the user as fwknop does', async () => {
    const environments = [
      [{ SPOOF_USER: 'carol', LOGNAME: 'alice' }, 'carol'],
      [{ LOGNAME: 'alice', USER: 'bob' }, 'alice'],
      [{ LOGNAME: 'x'.repeat(70) }, 'x'.repeat(48)],
    ] as const
    for (const [index, [env, name]] of environments.entries()) {
      await postern('knock -q -n gate', env)
      await server.hasHeard(index + 1)
      expect(heard(index).username).to.equal(name)
    }
    await postern('knock -q -n gate', { LOGNAME: 'DOMAIN\\jörg' })
    await server.hasHeard(4)
    expect(heard(3).username).to.match(/^\w+$/)
  })

  for (const [line, code, words] of [
    ['knock --protocol fwknop gate -r 22', 2, '--resource with --protocol fwknop: name ports instead, like tcp/22'],
    ['knock --protocol fwknop gate 22 -u 1', 2, '--user with --protocol fwknop: expected --spoof-user NAME'],
    ['knock --protocol fwknop gate 22 -k key', 2, '--key-file with --protocol fwknop: its keys are in ~/.fwknoprc'],
    ['knock --protocol fwknop gate 22 --realm x', 2, '--realm with --protocol fwknop: it is of the SPA protocol'],
    ['knock --protocol fwknop gate 22 --extend', 2, 'a further knock opens for longer'],
    ['knock --protocol fwknop gate 22 -T', 2, '--tcp with --protocol fwknop: the packet goes over UDP'],
    ['knock -n gate 22 -a 2001:db8::1', 2, 'expected an IPv4 address, auto or source'],
    ['knock -n gate 22 -l 1d', 2, '--lifetime: 86400 s: fwknop takes at most 65536 s'],
    ['knock -n gate 22 --time-offset=1w', 2, '--time-offset "1w": expected [-]N with s, m, h or d'],
    ['knock -n gate 22 --spoof-user a:b', 2, '--spoof-user "a:b": expected characters of ASCII'],
    ['knock -n gate --source-port 0 22', 2, '--source-port "0": expected 1–65535'],
    ['knock -n gate --wait udp/53', 2, '--wait: UDP ports alone, which cannot be probed'],
    ['knock -n gate icmp/8', 2, 'PORT "icmp/8": expected 1–65535'],
    ['knock --protocol fwknop', 2, 'HOST is missing'],
    ['knock -n gate gate ssh', 2, 'PORT "ssh": expected a port, like tcp/22'],
    ['connect -n gate udp/53', 2, '--wait: UDP ports alone'],
    ['connect -n gate', 2, 'PORT is missing: expected HOST PORT'],
    ['revoke --protocol fwknop gate 22', 2, 'revoke with fwknop: it has no word for it'],
    ['knock --protocol fwknop nobody.invalid 22', 78, 'no key: add KEY_BASE64 and HMAC_KEY_BASE64'],
    ['knock -n nobody 22', 78, 'stanza "nobody": no such stanza: expected one of "default", "gate", "Other"'],
    ['knock --fwknoprc /nowhere gate 22', 78, '/nowhere: no such file'],
    ['knock -n gate 22 --protocol spa', 2, "--stanza with --protocol spa: it is fwknop's"],
    ['knock gate udp/22', 2, 'PORT "udp/22": expected 1–65535; tcp/ and udp/ are for --protocol fwknop'],
    ['knock gate 22 -a source', 2, '--address source: expected an IPv4 or IPv6 address'],
  ] as const)
    it(`refuses ${line} (${code})`, async () => {
      const { code: found, err, out } = await postern(line)
      expect(err).to.include(words)
      expect({ found, out }).to.deep.equal({ found: code, out: '' })
      expect(server.heard).to.deep.equal([])
    })

  it('refuses what it would have to leave out, by line', async () => {
    home.write('.fwknoprc', `${rcFor(server.port)}NAT_ACCESS 192.0.2.1,22\n`)
    const { code, err } = await postern('knock -n other')
    expect(err).to.match(/\.fwknoprc:18: NAT_ACCESS: postern asks for no NAT: delete the line/)
    expect(code).to.equal(78)
  })

  it('refuses keys that others can read (77), and says how to cure it', async () => {
    const file = home.write('open', rcFor(server.port), 0o644)
    const { code, err } = await postern(`knock --fwknoprc ${file} gate`)
    expect(err).to.include(`readable by everybody: expected keys that nobody else can read: chmod 600 ${file}`)
    expect(code).to.equal(77)
  })

  it('says that fwknopd has no IPv6 where a host has nothing else', async () => {
    const { code, err } = await postern('knock -n gate nothing.invalid 22')
    expect(err).to.include('nothing.invalid: no IPv4 address found')
    expect(err).to.include('fwknopd has no IPv6; at a posternd knock with -6')
    expect(code).to.equal(1)
  })

  it('knocks over IPv6 where that is named', async () => {
    const six = await Listener.on(6, server.port)
    for (const [index, line] of ['-n gate ::1 22', '-n gate -6 ::1 22'].entries()) {
      expect((await postern(`knock -q ${line}`)).err).to.equal('')
      await six.hasHeard(index + 1)
    }
    expect(server.heard).to.deep.equal([])
    six.close()
  })

  it('leaves a file of postern’s own to the other protocols', async () => {
    home.write('.config/postern/postern.conf', CONFIG)
    expect((await postern('knock -q -n gate 2222')).code).to.equal(0)
    await server.hasHeard(1)
    expect(heard().message).to.equal('0.0.0.0,tcp/2222')
    expect((await postern(`knock -q 127.0.0.1 22 -P ${server.port}`)).code).to.equal(0)
    await server.hasHeard(2)
    expect(server.heard[1]!.length).to.be.within(86, 256)
  })
})
