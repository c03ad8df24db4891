/**
 * postern's client against the real fwknopd, with a .fwknoprc as fwknop has it, unchanged:
 *
 *     client: postern ── server: fwknopd, iptables that drop, services ── stranger
 */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { FwknopMode as CipherMode, FwknopDigest } from '../../lib/wire/fwknop-types.js'
import { bundle, ROOT } from '../cli/program.js'
import { clientOf } from '../support/client.js'
import {
  accessFile,
  dropByDefault,
  FWKNOP_MODES,
  FWKNOP_PORT,
  type FwknopMode,
  FwknopServer,
  rcStanza,
} from '../support/fwknop-peer.js'
import { type Lab, openLab } from '../support/lab.js'
import type { Outcome } from '../support/namespace.js'
import { becomesShut, datagramsOf } from '../support/story.js'

/** One laboratory with its fwknopd, and `postern` at the client. */
class Place {
  readonly lab: Lab
  readonly server: FwknopServer

  private constructor(lab: Lab, server: FwknopServer) {
    this.lab = lab
    this.server = server
  }

  static async open(
    mode: FwknopMode,
    access: string,
    ports: readonly number[],
    more: readonly string[] = [],
  ): Promise<Place> {
    const lab = await openLab()
    for (const port of ports) await lab.server.echo(port)
    await dropByDefault(lab.server, mode)
    return new Place(lab, await FwknopServer.start(lab, { mode, access, more }))
  }

  get address(): string {
    return this.lab.server.v4
  }

  /** Writes the client's ~/.fwknoprc. */
  rc(text: string): void {
    writeFileSync(join(this.lab.folder, '.fwknoprc'), text, { mode: 0o600 })
  }

  postern(line: string): Promise<Outcome> {
    const words = ['knock', '--protocol', 'fwknop', ...line.split(' ')]
    const env = { HOME: this.lab.folder, LOGNAME: 'alice' }
    return this.lab.client.run([clientOf(ROOT), ...words], { env })
  }

  get logged(): number {
    return this.server.daemon.lines.length
  }

  /** A line of fwknopd's log, written since there were so many. */
  log(pattern: RegExp, since: number): Promise<RegExpExecArray> {
    return this.server.daemon.waitLine(pattern, 30_000, since)
  }
}

for (const mode of FWKNOP_MODES) {
  describe(`postern at the real fwknopd, ${mode} mode`, () => {
    let place: Place
    before(async () => {
      bundle()
      const access = accessFile('tcp/22,udp/53,tcp/2222', { timeoutSeconds: 2 })
      place = await Place.open(mode, access, [22, 2222])
      place.rc(rcStanza('gate', place.address, ['ACCESS tcp/22']))
    })
    after(() => place.lab.close())
    afterEach(() => becomesShut(place.lab.client, place.address))

    it('opens a port for this machine alone, waits until it is open, and it is shut in time', async () => {
      const { client, stranger } = place.lab
      expect(await client.connect(place.address, 22)).to.equal('silent')

      const { status, stdout, stderr } = await place.postern('--wait gate')

      expect(stdout).to.match(/^port 22 of 198\.18\.0\.1 is open \(198\.18\.0\.1, after \d+ ms\)\n$/)
      expect([status, stderr]).to.deep.equal([0, ''])
      expect(await client.connect(place.address, 22)).to.equal('open')
      expect(await stranger.connect(place.address, 22)).to.equal('silent')
    })

    it('opens several ports with one packet', async () => {
      const since = place.logged
      expect((await place.postern('--wait gate 22 udp/53 tcp/2222')).status).to.equal(0)
      for (const port of ['tcp/22', 'udp/53', 'tcp/2222'])
        await place.log(new RegExp(`Added access rule .*198\\.18\\.1\\.2 .*${port}`), since)
      expect(place.server.daemon.lines.slice(since).filter((line) => /SPA Packet from IP/.test(line))).to.have.length(1)
      await becomesShut(place.lab.client, place.address, 2222)
    })

    it('refuses a packet of postern’s that it has seen before', async () => {
      const capture = await place.lab.server.capture()
      const since = place.logged
      expect((await place.postern('--wait --tries 1 gate')).status).to.equal(0)
      const [datagram] = datagramsOf(await capture.packets())
      await becomesShut(place.lab.client, place.address)

      await place.lab.client.send(place.address, FWKNOP_PORT, [datagram!])

      await place.log(/Replay detected from source IP: 198\.18\.1\.2/, since)
      expect(await place.lab.client.connect(place.address, 22)).to.equal('silent')
    })

    it('stays shut to a wrong key, and postern says what to do', async () => {
      const since = place.logged
      // KEY comes before KEY_BASE64, wherever each is.
      place.rc(rcStanza('gate', place.address, ['KEY wrong', 'HMAC_KEY wrong-too']))

      const { status, stderr } = await place.postern('--wait --timeout 0.5 gate 22')

      place.rc(rcStanza('gate', place.address, ['ACCESS tcp/22']))
      expect(stderr).to.match(
        /^postern: port 22 of 198\.18\.0\.1 is still shut 0\.5 s after the knock at 198\.18\.0\.1: /,
      )
      expect(stderr).to.match(/compare \S+\.fwknoprc \[gate\] with its access\.conf: KEY, HMAC_KEY, /)
      expect(status).to.equal(1)
      await place.log(/HMAC/, since)
      expect(place.server.daemon.lines.slice(since).filter((line) => /Added access rule/.test(line))).to.deep.equal([])
    })
  })
}

describe('what postern asks of the real fwknopd', () => {
  let place: Place
  before(async () => {
    bundle()
    const more = ['MAX_FW_TIMEOUT 9', 'REQUIRE_USERNAME alice']
    place = await Place.open('udp', accessFile('tcp/22', { timeoutSeconds: 30, more }), [22])
    place.rc(rcStanza('gate', place.address, ['ACCESS tcp/22']))
  })
  after(() => place.lab.close())
  afterEach(() => place.lab.server.must(['iptables', '-F', 'FWKNOP_INPUT']))

  /** In how many seconds a port will be shut again, as fwknopd tells. */
  const expiresIn = async (since: number) => {
    const [, epoch] = await place.log(/Added access rule .* expires at (\d+)/, since)
    return Number(epoch) - Date.now() / 1000
  }

  it('is open for as long as the client says', async () => {
    const since = place.logged
    await place.postern('gate --lifetime 5')
    expect(await expiresIn(since)).to.be.within(2, 6)
  })

  it('is open no longer than the server allows, and as long as it says where the client does not', async () => {
    const since = place.logged
    await place.postern('gate -l 1h')
    expect(await expiresIn(since)).to.be.within(6, 10)
    const later = place.logged
    await place.postern('gate')
    expect(await expiresIn(later)).to.be.within(27, 31)
  })

  for (const [words, whose] of [
    ['--address source', 'client'],
    ['--address auto', 'client'],
    ['--address resolve', 'client'],
    ['--address 198.18.2.2', 'stranger'],
  ] as const)
    it(`opens for the ${whose} with ${words}`, async () => {
      const since = place.logged
      await place.postern(`gate ${words}`)
      await place.log(/Added access rule/, since)
      const { client, stranger } = place.lab
      const outcome = {
        client: whose === 'client' ? 'open' : 'silent',
        stranger: whose === 'stranger' ? 'open' : 'silent',
      }
      expect(await client.connect(place.address, 22)).to.equal(outcome.client)
      expect(await stranger.connect(place.address, 22)).to.equal(outcome.stranger)
    })

  it('connects, for ssh, as soon as the port is open', async () => {
    const words = ['connect', '--protocol', 'fwknop', 'gate', '22']
    const { lab } = place
    const { status, stdout, stderr } = await lab.client.run([clientOf(ROOT), ...words], {
      env: { HOME: lab.folder, LOGNAME: 'alice' },
      input: 'hello',
    })
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    expect(stdout).to.include('hello')
  })

  it('comes from the port that is named', async () => {
    const capture = await place.lab.server.capture()
    const since = place.logged
    await place.postern('gate --source-port 5353')
    await place.log(/Added access rule/, since)
    const [packet] = (await capture.packets()).filter(({ destinationPort }) => destinationPort === FWKNOP_PORT)
    expect(packet).to.include({ sourcePort: 5353 })
  })

  it('is refused for another user name', async () => {
    const since = place.logged
    await place.postern('gate --spoof-user bob')
    await place.log(/Username in SPA data \(bob\) does not match/, since)
    expect(await place.lab.client.connect(place.address, 22)).to.equal('silent')
  })

  it('is refused for a clock that is wrong, which --time-offset sets right', async () => {
    const since = place.logged
    await place.postern('gate --time-offset=-10m')
    await place.log(/SPA data time difference is too great \(\d+ seconds\)/, since)
    await place.postern('gate --time-offset=1m')
    await place.log(/Added access rule/, since)
  })
})

/** Each row with a key, and a port to open, of its own. */
const ROWS: readonly { readonly mode: CipherMode; readonly digest: FwknopDigest; readonly hmac?: FwknopDigest }[] = [
  { mode: 'cbc', digest: 'md5', hmac: 'sha512' },
  { mode: 'ecb', digest: 'sha1', hmac: 'md5' },
  { mode: 'cfb', digest: 'sha256', hmac: 'sha1' },
  { mode: 'ofb', digest: 'sha384', hmac: 'sha256' },
  { mode: 'ctr', digest: 'sha512', hmac: 'sha384' },
  { mode: 'cbc', digest: 'sha3_256', hmac: 'sha3_512' },
  { mode: 'ctr', digest: 'sha3_512', hmac: 'sha3_256' },
  { mode: 'cbc', digest: 'sha512' },
  { mode: 'legacy', digest: 'sha256' },
]
const portOf = (row: number) => 3001 + row
const keyOf = (row: number) => `key-number-${row}`

describe('postern’s packets, of every digest and mode', () => {
  let place: Place
  before(async () => {
    bundle()
    const stanzas = ROWS.map(({ mode, hmac }, row) => [
      'SOURCE ANY',
      `KEY ${keyOf(row)}`,
      `ENCRYPTION_MODE ${mode.replace(/^\w{3}$/, (word) => word.toUpperCase())}`,
      `OPEN_PORTS tcp/${portOf(row)}`,
      ...(hmac ? [`HMAC_KEY hmac-${keyOf(row)}`, `HMAC_DIGEST_TYPE ${hmac}`] : []),
    ])
    place = await Place.open(
      'udp',
      `${stanzas.flat().join('\n')}\n`,
      ROWS.map((_, row) => portOf(row)),
    )
    const rc = ROWS.map(({ mode, digest, hmac }, row) => [
      `[row${row}]`,
      `SPA_SERVER ${place.address}`,
      'ALLOW_IP source',
      `KEY ${keyOf(row)}`,
      `ENCRYPTION_MODE ${mode}`,
      `DIGEST_TYPE ${digest}`,
      ...(hmac ? [`HMAC_KEY hmac-${keyOf(row)}`, `HMAC_DIGEST_TYPE ${hmac}`] : []),
    ])
    place.rc(`${rc.flat().join('\n')}\n`)
  })
  after(() => place.lab.close())

  for (const [row, { mode, digest, hmac }] of ROWS.entries())
    it(`open with ${mode}, ${digest} and ${hmac ? `HMAC ${hmac}` : 'no HMAC, with a warning'}`, async () => {
      const { status, stdout, stderr } = await place.postern(`--wait row${row} tcp/${portOf(row)}`)
      expect(stdout).to.match(new RegExp(`^port ${portOf(row)} of 198.18.0.1 is open`))
      expect(status).to.equal(0)
      if (hmac) expect(stderr).to.equal('')
      else expect(stderr).to.match(/^postern: warning: .*\[row\d\]: no HMAC_KEY: fwknopd takes changed copies/)
    })
})

/** Where it can, fwknopd hears at every port. */
const MODE = FWKNOP_MODES.at(-1)!

describe('a .fwknoprc that the real fwknop wrote', () => {
  let place: Place
  before(async () => {
    bundle()
    const lab = await openLab()
    const file = join(lab.folder, '.fwknoprc')
    const words = [
      '-A',
      'tcp/22',
      '-s',
      '-D',
      lab.server.v4,
      '--key-gen',
      '--use-hmac',
      '--save-rc-stanza',
      '-n',
      'gate',
    ]
    await lab.client.must(['fwknop', '--rc-file', file, '--no-save-args', ...words], { env: { HOME: lab.folder } })
    const written = readFileSync(file, 'utf8')
    const [key, hmac] = ['KEY_BASE64', 'HMAC_KEY_BASE64'].map(
      (name) => new RegExp(`^${name}:?\\s+(\\S+)`, 'm').exec(written)![1],
    )
    const access = `SOURCE ANY\nKEY_BASE64 ${key}\nHMAC_KEY_BASE64 ${hmac}\nOPEN_PORTS tcp/22\nFW_ACCESS_TIMEOUT 30\n`
    await lab.close()
    place = await Place.open(MODE, access, [22], ['PCAP_FILTER udp;'])
    place.rc(written)
    chmodSync(join(place.lab.folder, '.fwknoprc'), 0o600)
  })
  after(() => place.lab.close())

  it('is read unchanged: its stanza by name, or by the server’s address', async () => {
    expect((await place.postern('--wait gate')).status).to.equal(0)
    expect(await place.lab.client.connect(place.address, 22)).to.equal('open')
    const since = place.logged
    const { status, stderr } = await place.postern(`${place.address}`)
    expect([status, stderr]).to.deep.equal([0, ''])
    await place.log(/Added access rule|SPA Decode \(res=0\)/, since)
  })

  it(`knocks at a random port${MODE === 'pcap' ? ', which is heard' : ''}`, async () => {
    const since = place.logged
    const capture = await place.lab.server.capture()
    await place.postern('--port any gate')
    if (MODE === 'pcap') await place.log(/SPA Decode \(res=0\)/, since)
    const [packet] = (await capture.packets()).filter(({ kind }) => kind === 'udp')
    expect(packet!.destinationPort).to.be.within(10_000, 65_534)
  })
})
