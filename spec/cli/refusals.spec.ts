import { expect } from 'chai'
import { bundle, CONFIG, Home, KEY } from './program.js'

describe('the postern program refuses', () => {
  let home: Home
  before(() => {
    bundle()
    home = new Home(CONFIG)
  })
  after(() => home.remove())
  const postern = (line: string) => home.postern(line === '' ? [] : line.split(' '))

  for (const [line, code, message] of [
    [
      '',
      2,
      'no command: expected knock, connect, keepalive, revoke, doctor, probe, ssh-config, add, gen-key, import, completion (postern --help; for example: postern knock gate.example.org 22)',
    ],
    ['knok gate 22', 2, '"knok" is no command: did you mean knock? (postern --help; for example: '],
    [
      'shut gate 22',
      2,
      '"shut" is no command: expected knock, connect, keepalive, revoke, doctor, probe, ssh-config, add, gen-key, import, completion (postern --help; for example: postern knock gate.example.org 22)',
    ],
    [
      'knock',
      2,
      'HOST is missing: expected HOST PORT (postern knock --help; for example: postern knock gate.example.org 22)',
    ],
    ['knock gate', 2, 'PORT is missing: name one, or a resource, or --resource ID'],
    ['knock 22', 2, 'HOST "22": expected a name or an address before the port'],
    ['knock a/b 22', 2, 'HOST "a/b": expected a name or an address'],
    ['knock gate ssh', 78, 'no resource "ssh" (it names none): add "name: ssh" to its line, or name its port'],
    ['knock gate 0', 2, 'PORT "0": expected 1–65535'],
    ['knock gate 65536', 2, 'PORT "65536": expected 1–65535'],
    ['knock gate 22 0x16', 2, 'PORT "0x16": expected 1–65535'],
    ['knock gate 22 --user 123456789', 2, '--user "123456789": expected 1–8 hex digits, like 0000002A'],
    ['knock gate 22 --user=', 2, '--user "": expected 1–8 hex digits, like 0000002A'],
    ['knock gate 22 --resource ssh', 2, '--resource "ssh": expected 1–8 hex digits, like 0000002A'],
    ['knock gate 22 --lifetime soon', 2, '--lifetime "soon": expected seconds, 1–4294967295, or a duration'],
    ['knock gate 22 --lifetime 0', 2, '--lifetime "0": expected seconds, 1–4294967295'],
    ['knock gate 22 --lifetime 4294967296', 2, '--lifetime "4294967296": expected seconds, 1–4294967295'],
    ['knock gate 22 --address gate', 2, '--address "gate": expected an IPv4 or IPv6 address, like 192.0.2.7, or auto'],
    ['knock gate 22 --address 0.0.0.0', 2, '--address "0.0.0.0": expected an IPv4 or IPv6 address'],
    ['knock gate 22 --tries 0', 2, '--tries "0": expected 1–100'],
    ['knock gate 22 --tries -1', 2, '--tries "-1": expected 1–100'],
    ['knock gate 22 --port 99999', 2, '--port "99999": expected 1–65535, or any'],
    ['knock gate 22 --timeout 5', 2, '--timeout without --wait: it is how long --wait waits'],
    ['knock gate 22 --wait --timeout 0', 2, '--timeout "0": expected seconds, 0.1–86400'],
    ['knock gate -r 22 --wait', 2, '--wait without PORT: name the TCP port to wait for'],
    ['knock gate 22 8000 -r 22', 2, '--resource with 2 ports: expected one port'],
    ['knock gate 22 --single --extend', 2, '--single: expected without --extend, --lifetime and --address'],
    ['knock gate 53 --wait', 2, '--wait: resource 00000053 is UDP, which cannot be probed: leave --wait out'],
    ['knock gate 55 --wait', 2, '--wait: a lease of resource 00000055 lets in 1 at most, and a probe is one'],
    ['knock gate 22 --protocol knockd', 2, '--protocol "knockd": expected spa, letmein, auto'],
    ['knock gate 22 --tcp', 2, "--tcp: postern's own datagram goes over UDP: leave it out, or knock with"],
    ['knock gate 22 --protocol letmein -T -P any', 2, '--port any: over TCP a number is expected'],
    ['knock gate 22 --protocol letmein -l 5', 2, "--lifetime: letmein's exchange cannot say it: leave it out"],
    ['knock gate 22 --protocol letmein -a ::1', 2, "--address: letmein's exchange cannot say it"],
    ['knock gate 22 --protocol letmein --extend', 2, "--extend: letmein's exchange cannot say it"],
    ['knock gate 80 --protocol letmein --single', 2, "--single: letmein's exchange cannot say it"],
    ['knock gate 22 --protocol letmein --realm x', 2, "--realm: letmein's exchange cannot say it"],
    ['knock gate 22 --protocol letmein --tries 2', 2, "--tries: letmein's exchange is repeated by itself within"],
    ['knock -46 ::1 22 --protocol letmein -U', 2, '::1 is an IPv6 address: leave -4 and -6 out'],
    ['knock -6 127.0.0.1 22 --protocol letmein', 1, '127.0.0.1 is an IPv4 address: leave -6 out'],
    [
      'knock gate 22 --lifetme 5',
      2,
      '--lifetme is no option: did you mean --lifetime? (postern knock --help; for example: postern knock gate.example.org 22)',
    ],
    ['knock gate 22 --protocol fwknop --source-port 0', 2, '--source-port "0": expected 1–65535'],
    ['knock gate 22 --protocol fwknop --time-offset soon', 2, '--time-offset "soon": expected [-]N with s, m, h or d'],
    ['connect gate 22 --protocol fwknop --source-port x', 2, '--source-port "x": expected 1–65535'],
    ['keepalive gate 22 --protocol fwknop --every 60 --source-port x', 2, '--source-port "x": expected 1–65535'],
    ['doctor gate 22 --protocol fwknop --time-offset soon', 2, '--time-offset "soon": expected [-]N with s, m, h or d'],
    ['ssh-config gate --protocol fwknop --source-port x', 2, '--source-port "x": expected 1–65535'],
    ['ssh-config gate other', 2, '"other": expected one HOST: postern ssh-config gate'],
    ['knock gate 22 --colour', 2, '--colour is no option'],
    ['knock gate 22 -x', 2, '-x is no option'],
    ['knock gate 22 -u', 2, '-u: expected a value behind it'],
    ['knock gate 22 -u 1 -u 2', 2, '--user is here 2 times: expected once'],
    ['knock gate 22 --wait=5', 2, '--wait="5": expected --wait alone, which takes no value'],
    ['knock gate 22 --config=', 2, '--config "": expected a file'],
    ['revoke gate 22 --lifetime 5', 2, '--lifetime is no option'],
    ['knock gate 22 --single --address auto', 2, '--single: expected without --extend, --lifetime and --address'],
    ['probe', 2, 'expected postern probe HOST [PORT…]'],
    ['probe gate ssh', 2, 'PORT "ssh": expected 1–65535, or as 51820/udp'],
    ['probe gate 0', 2, 'PORT "0": expected 1–65535'],
    ['probe gate 22/sctp', 2, 'PORT "22/sctp": expected 1–65535, or as 51820/udp'],
    ['probe gate --port 65536', 2, '--port "65536": expected 1–65535'],
    ['probe gate --user me', 2, '--user "me": expected 1 to 8 hexadecimal digits'],
    ['probe gate 1 2 3 4 5 6 7 8 9', 2, '9 ports: expected 8 at most'],
    ['probe -6 127.0.0.1', 1, '127.0.0.1 is an IPv4 address: leave -6 out'],
    ['probe -4 no.such.invalid', 1, 'no.such.invalid: no IPv4 address found ('],
    ['keepalive', 2, 'HOST is missing: expected HOST PORT'],
    ['keepalive gate', 2, 'PORT is missing: name one, or a resource, or --resource ID'],
    ['keepalive gate 22 --evry 5', 2, '--evry is no option: did you mean --every?'],
    [
      'keepalive gate 22 --every',
      2,
      '--every: expected a value behind it (postern keepalive --help; for example: postern keepalive gate',
    ],
    ['keepalive gate 22 --every 0', 2, '--every "0": expected seconds, 1–2073600, or a duration like 90s, 30m, 1h'],
    ['keepalive gate 22 --every 5 --every 6', 2, '--every is here 2 times: expected once'],
    ['keepalive gate 22 --wait', 2, '--wait is no option'],
    ['keepalive gate 22 --once --every 5', 2, '--once with --every: whoever starts it says how often'],
    ['keepalive gate 22 --file x', 2, 'HOST beside --file: expected one of them: postern keepalive --file FILE'],
    ['keepalive --file=', 2, '--file "": expected a file'],
    ['keepalive -6 127.0.0.1 22 --every 5', 2, '127.0.0.1 is an IPv4 address: leave -6 out'],
    ['keepalive gate 22 --while-connected --protocol letmein', 2, '--while-connected: letmein cannot prolong without'],
    [
      'keepalive gate -r 99 --while-connected --every 5',
      2,
      '--while-connected: the ports of resource 00000099 are not',
    ],
    [
      'keepalive gate 22',
      78,
      'port 22: how long a lease lasts is not known: add "timeout: SECONDS" to resource 00000022',
    ],
    [
      'keepalive gate -r 99',
      78,
      'resource 00000099: how long a lease lasts is not known: use --lifetime 10m or --every',
    ],
    ['keepalive --file nowhere', 78, 'nowhere: no such file'],
    ['keepalive --once -4 no.such.invalid 22', 1, 'port 22 of no.such.invalid: no IPv4 address found ('],
    [
      'revoke',
      2,
      'HOST is missing: expected HOST PORT (postern revoke --help; for example: postern revoke gate.example.org 22)',
    ],
    ['connect gate 22 80', 2, '2 ports: expected one: postern connect HOST PORT'],
    ['completion', 2, 'SHELL is missing: expected one of bash, zsh, fish'],
    ['completion tcsh', 2, '"tcsh": expected one of bash, zsh, fish'],
    ['gen-key 1', 2, 'gen-key: expected no argument but --user ID'],
    ['knock -4 ::1 22', 1, '::1 is an IPv6 address: leave -4 out'],
    ['knock no.such.invalid 22', 1, 'no.such.invalid: no address found ('],
    [
      'knock gate 2222',
      78,
      `no resource for port 2222 (it maps 22, 8000–8010, 53, 54, 55): add "00002222 = port: 2222"`,
    ],
    ['knock gate 54', 78, 'resource 00000054 (port 54) is not for user 00000001'],
    ['knock gate 22 -u 2', 78, 'no key for user 00000002 (it has keys for 00000001): add "00000002 = KEY" to [KEYS]'],
    ['knock gate 22 -c nowhere.conf', 78, 'nowhere.conf: no such file'],
    ['knock gate 22 -k nowhere.key', 78, 'nowhere.key: no such file'],
  ] as const) {
    it(`postern ${line} (${code})`, async () => {
      const { code: found, out, err } = await postern(line)
      expect(err).to.include(message)
      expect(err).to.match(/^postern: .*\n$/)
      expect({ found, out }).to.deep.equal({ found: code, out: '' })
    })
  }

  it('with one object, where --json is given', async () => {
    const { code, out, err } = await postern('knock gate 0 --json')
    expect(JSON.parse(out)).to.deep.equal({
      error: { code: 'usage', message: 'PORT "0": expected 1–65535, or a resource’s name', exitCode: 2 },
    })
    expect({ code, err }).to.deep.equal({ code: 2, err: '' })
  })

  it('a key on the command line, without showing it', async () => {
    const { code, out, err } = await postern(`knock gate 22 --key-file ${KEY}`)
    expect(code).to.equal(2)
    expect(out + err)
      .to.match(/expected a file/)
      .and.not.include(KEY)
  })

  it('a key file that others can read (77), without showing it', async () => {
    const path = home.write('open.key', KEY, 0o644)
    const { code, err } = await home.postern(['knock', '-k', path, '127.0.0.1', '22'])
    expect(code).to.equal(77)
    expect(err).to.include(path).and.include('chmod 600').and.not.include(KEY)
  })

  it('a file that is wrong (78), with its line', async () => {
    const path = home.write('wrong.conf', '[CLIENT]\ndefault-user = nobody\n')
    const { code, err } = await home.postern(['knock', '-c', path, '127.0.0.1', '22'])
    expect(code).to.equal(78)
    expect(err).to.include(`${path}:2:`)
  })
})
