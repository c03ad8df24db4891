/** postern's packets of every kind at the real fwknopd, and a .fwknoprc that the real fwknop wrote. */
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { FwknopMode as CipherMode, FwknopDigest } from '../../lib/wire/fwknop-types.js'
import { bundle } from '../cli/program.js'
import { FWKNOP_MODES } from '../support/fwknop-peer.js'
import { Place } from '../support/fwknopd-place.js'
import { openLab } from '../support/lab.js'

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
