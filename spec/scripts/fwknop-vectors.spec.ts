import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { checkFwknop } from '../../scripts/checkers/fwknop.js'
import { ShapeError } from '../../scripts/checkers/shape.js'

type Entry = Record<string, unknown> & { name: string; wire: string; fields: Record<string, unknown> }
type Vectors = { vectors: Entry[]; libfko_vectors: Entry[]; edge_cases: Entry[]; refused_by_client: Entry[] }

const TEXT = readFileSync(new URL('../vectors/fwknop.json', import.meta.url), 'utf8')
const load = (): Vectors => JSON.parse(TEXT)

/** Another value of the same kind. */
function changed(value: unknown): unknown {
  if (typeof value === 'number') return value + 1
  if (typeof value === 'string') return `${value.slice(0, -1)}${value.endsWith('1') ? '2' : '1'}`
  return 'something'
}

describe("fwknop's vectors", () => {
  it('all agree, and what no packet can show is said', () => {
    const tally = checkFwknop(load())
    expect(tally.differences).to.deep.equal([])
    expect(tally).to.include({ agreed: 295, differed: 0 })
    expect(tally.notes).to.have.length(2)
  })

  it('differ where any one thing that a client packet says is another', () => {
    const entry = load().vectors.find(({ name }) => name === 'timeout-60')!
    const check = (one: object) => checkFwknop({ vectors: [one] })
    expect(check(entry)).to.include({ agreed: 1, differed: 0 })
    for (const name of ['wire', 'wire_len', 'wire_ciphertext', 'wire_hmac', 'salt_hex', 'replay_digest'])
      expect(check({ ...entry, [name]: changed(entry[name]) }).differed, name).to.equal(1)
    const named =
      'rand user timestamp version message_type message nat_access server_auth client_timeout digest_type digest encoded'
    for (const name of named.split(' ')) {
      const fields = { ...entry.fields, [name]: changed(entry.fields[name]) }
      expect(check({ ...entry, fields }).differed, name).to.equal(1)
    }
    for (const name of 'message_type_name digest_type_name hmac_type hmac_type_name hmac encryption_mode'.split(' ')) {
      const fields = { ...entry.fields, [name]: changed(entry.fields[name]) }
      expect(check({ ...entry, fields }).differed, name).to.equal(1)
    }
    const key = { ...(entry['key'] as object), base64: 'AAAA', text: 'another' }
    expect(check({ ...entry, key }).differences).to.have.length(2)
    expect(check({ ...entry, env: { LOGNAME: 'bob' } }).differences[0]).to.match(/another packet is made here$/)
    expect(check({ ...entry, fwknopd_2_6_10: { decoded: false, rules: 1 } }).differed).to.equal(1)
    const cmd = (entry['cmd'] as string[]).map((word) => (word === '60' ? '61' : word))
    expect(check({ ...entry, cmd }).differences[0]).to.match(/: command: another packet is made here$/)
    expect(check({ ...entry, cmd: undefined })).to.include({ agreed: 1, differed: 0 })
    expect(check({ ...entry, expect_decode: 'reject' }).differed).to.equal(1)
    expect(check({ ...entry, mode: 'CTR' }).differed).to.equal(1)
    expect(check({ ...entry, fwknopd_2_6_10: { rules: 0 } }).differed).to.equal(1)
  })

  it('differ where the file of a command says another thing', () => {
    const file = load() as Vectors & { meta: { rc_files: Record<string, string> } }
    const [entry] = file.vectors.filter(({ name }) => name === 'rc-named-stanza')
    const check = (from: string, to: string) => {
      const text = file.meta.rc_files['fwknoprc']!.replace(from, to)
      return checkFwknop({ meta: { rc_files: { fwknoprc: text } }, vectors: [entry] }).differed
    }
    expect(check('', '')).to.equal(0)
    const lines = [
      ['FW_TIMEOUT         77', 'FW_TIMEOUT 78'],
      ['DIGEST_TYPE sha1', 'DIGEST_TYPE md5'],
      ['ALLOW_IP           source', 'ALLOW_IP 10.1.2.3'],
      ['SPOOF_USER         dave', 'SPOOF_USER eve'],
      ['tcp/22,tcp/443', 'tcp/22'],
    ] as const
    for (const [from, to] of lines) expect(check(from, to), to).to.equal(1)
  })

  it('differ where a verdict is the other one', () => {
    const { edge_cases, libfko_vectors, refused_by_client } = load()
    const turned = edge_cases
      .filter(({ name }) => !name.includes('prefix kept'))
      .map((entry) => ({ ...entry, expect: entry['expect'] === 'accept' ? 'reject' : 'accept' }))
    expect(checkFwknop({ edge_cases: turned })).to.include({ agreed: 0, differed: turned.length })
    const library = libfko_vectors.map((entry) => ({ ...entry, libfko_decode: { ok: false } }))
    expect(checkFwknop({ libfko_vectors: library })).to.include({ agreed: 0, differed: 16 })
    const words = ['fwknop', '-A', 'tcp/22', '-a', '10.1.2.3', '--key-rijndael', 'k', '--key-hmac', 'h']
    const { differences } = checkFwknop({ refused_by_client: [{ ...refused_by_client[0]!, cmd: words }] })
    expect(differences[0]).to.match(/a packet is made here, refused in the file$/)
  })

  it('may lack lists, and none that is not known goes unsaid', () => {
    const tally = checkFwknop({ edge_cases: load().edge_cases.slice(0, 1), other: [{}] })
    expect(tally).to.include({ agreed: 1, differed: 1 })
    expect(tally.differences).to.deep.equal([
      'other: not checked: expected vectors, libfko_vectors, edge_cases, refused_by_client',
    ])
  })

  it('are none where there is no list of them', () => {
    expect(() => checkFwknop({})).to.throw(ShapeError)
    expect(() => checkFwknop([])).to.throw(ShapeError)
  })

  it('that cannot be read are told, and all others checked', () => {
    const [edge] = load().edge_cases
    const bad = [
      { ...edge, wire: 1 },
      { ...edge, mode: 'XYZ' },
      { ...edge, expect: 'perhaps' },
      { ...edge, wire: '日本' },
    ]
    const { agreed, differed, differences } = checkFwknop({ edge_cases: [...bad, edge] })
    expect({ agreed, differed }).to.deep.equal({ agreed: 1, differed: 4 })
    for (const [i, words] of ['wire: expected text', 'mode: expected', 'accept or reject', 'opened: refused'].entries())
      expect(differences[i]).to.include(`edge_cases[${i}]`).and.include(words)
  })

  it('name options in any spelling, and ones that are not known are told', () => {
    const { vectors, refused_by_client } = load()
    const entry = vectors.find(({ name }) => name === 'timeout-60')!
    const cmd = entry['cmd'] as string[]
    const spelled = cmd.flatMap((word) =>
      word === '-A' ? ['--access'] : word === '-f' ? [] : word === '60' ? ['--fw-timeout=60'] : [word],
    )
    const check = (words: readonly string[]) => checkFwknop({ vectors: [{ ...entry, cmd: words }] })
    expect(check([...spelled, '-p', '5000', '-r'])).to.deep.include({ agreed: 1, differed: 0, notes: [] })
    expect(check(spelled.map((word) => word.replace('=60', '=61'))).differed).to.equal(1)
    const odd = check([...cmd, '--brand-new'])
    expect(odd).to.include({ agreed: 1, differed: 0 })
    expect(odd.notes[0]).to.match(/--brand-new: no option that is known here/)
    const refused = { ...refused_by_client[0]!, cmd: ['fwknop', '--brand-new'] }
    const tally = checkFwknop({ vectors: [entry], refused_by_client: [refused] })
    expect(tally).to.include({ agreed: 1, differed: 0 })
    expect(tally.notes[0]).to.match(/not tried, and not counted/)
  })
})
