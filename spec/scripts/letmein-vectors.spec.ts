import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { checkLetmein } from '../../scripts/checkers/letmein.js'
import { ShapeError } from '../../scripts/checkers/shape.js'

type Entry = Record<string, unknown>
type Vectors = Record<'exchanges' | 'malformed' | 'client_side' | 'configurations', Entry[]>

const TEXT = readFileSync(new URL('../vectors/letmein.json', import.meta.url), 'utf8')
const load = (): Vectors => JSON.parse(TEXT)
const { exchanges, malformed, client_side, configurations } = load()
const check = (file: Partial<Vectors>) => checkLetmein(JSON.parse(JSON.stringify(file)))

/** What the notes say, without the places they are about, and how often. */
function reasons(notes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const note of notes) {
    const reason = note.replace(/^\w+\[\d+\]: (step \d+: |probe \d+: )?/, '').replace(/[0-9A-F]{8}/g, 'ID')
    counts[reason] = (counts[reason] ?? 0) + 1
  }
  return counts
}

/** Every value of the entry, changed to another of its kind, in a copy each. */
function* changes(entry: Entry, path: string): Generator<[string, Entry]> {
  const walk = function* (value: unknown, at: string, put: (other: unknown) => Entry): Generator<[string, Entry]> {
    if (Array.isArray(value))
      for (const [i, one] of value.entries()) yield* walk(one, `${at}[${i}]`, (other) => put(value.with(i, other)))
    else if (typeof value === 'object' && value !== null)
      for (const [name, one] of Object.entries(value))
        yield* walk(one, `${at}.${name}`, (other) => put({ ...value, [name]: other }))
    else if (typeof value === 'string' && /^[0-9a-fA-F]{8,}$/.test(value))
      yield [at, put(value.slice(0, -1) + (value.endsWith('0') ? '1' : '0'))]
    else if (typeof value === 'number') yield [at, put(value === 0 ? 1 : 0)]
  }
  yield* walk(entry, path, (other) => other as Entry)
}

describe('the letmein vectors', () => {
  it('all agree', () => {
    const tally = checkLetmein(load())
    expect(tally.differences).to.deep.equal([])
    expect(tally).to.include({ agreed: 300, differed: 0 })
  })

  it('meet with something else than in the file in these cases, for these reasons', () => {
    expect(reasons(check({ malformed }).notes)).to.deep.equal({
      // letmein reads the first 56 bytes of any datagram; docs/PROTOCOL.md takes 56 and nothing else.
      'silence here, CHALLENGE ID ID in the file: it is not just 56 bytes': 12,
      'silence here, COMEIN ID ID in the file: it is not just 56 bytes': 2,
      // A KNOCK that was heard before is a recorded one, from wherever it comes.
      'silence here, GOAWAY ID ID in the file: its salt was heard before': 2,
      'silence here, GOAWAY ID ID in the file: this RESPONSE was heard before': 1,
      // Nothing is answered that shows no key; so nobody can end an exchange in another's name either.
      'silence here, GOAWAY ID ID in the file: a wrong RESPONSE shows no key, and ends no exchange': 5,
      'COMEIN ID ID here, silence in the file: what came before shows no key, and ends no exchange': 1,
      'COMEIN ID ID here, GOAWAY ID ID in the file: what came before shows no key, and ends no exchange': 1,
      // A GOAWAY in answer to a GOAWAY is a ball that two servers throw for ever, for one datagram with a false source.
      'silence here, GOAWAY ID ID in the file: only a server says that: two servers would answer each other for ever': 5,
    })
    expect(check({ exchanges }).notes).to.deep.equal([])
    expect(check({ client_side }).notes).to.deep.equal([])
    expect(Object.values(reasons(check({ configurations }).notes)).reduce((sum, count) => sum + count, 0)).to.equal(12)
  })

  it('differ where any one field of an exchange is another', () => {
    const whole = exchanges.find(({ messages }) => (messages as Entry[]).length === 4)!
    const found = [...changes(whole, 'exchange')]
    expect(found.length).to.be.greaterThan(25)
    for (const [what, changed] of found) {
      // Which family and policy an exchange without errors has makes no difference to its bytes.
      const isFree = what.endsWith('ip_version')
      expect(check({ exchanges: [changed] }).differed, what).to.equal(isFree ? 0 : 1)
    }
    const first = whole['messages'] as Entry[]
    expect(check({ exchanges: [{ ...whole, messages: first.slice(0, 3) }] }).differed).to.equal(1)
    expect(check({ exchanges: [{ ...whole, command: 'revoke' }] }).differed).to.equal(1)
  })

  it('differ where a server should have been silent, or should not', () => {
    const silent = exchanges.filter(
      ({ server_key, key, control_error_policy }) => server_key !== key && control_error_policy === 'basic-auth',
    )
    expect(silent.length).to.equal(2)
    for (const entry of silent)
      expect(check({ exchanges: [{ ...entry, server_key: entry['key'] }] }).differed).to.equal(1)
    for (const policy of ['always', 'basic-auth', 'full-auth']) {
      const others = exchanges.filter(
        ({ control_error_policy, messages }) => control_error_policy !== policy && (messages as Entry[]).length < 3,
      )
      const differed = others.map(
        (entry) => check({ exchanges: [{ ...entry, control_error_policy: policy }] }).differed,
      )
      expect(differed, policy).to.include(1)
    }
  })

  it('differ where any one answer to a malformed datagram is another, unless it is silence here by a rule', () => {
    for (const [i, entry] of malformed.entries())
      for (const [at, step] of (entry['steps'] as Entry[]).entries()) {
        const isSilent = step['answer'] === 'silence'
        const other = isSilent
          ? { answer: 'GOAWAY', answer_datagram: `3b1bb71900000004${'00'.repeat(48)}` }
          : { answer: 'silence', answer_datagram: undefined }
        const steps = (entry['steps'] as Entry[]).with(at, { ...step, ...other })
        const [before, after] = [check({ malformed: [entry] }), check({ malformed: [{ ...entry, steps }] })]
        const where = `malformed[${i}] step ${at}`
        const isByRule =
          before.notes.some((note) => note.includes(`step ${at}:`)) ||
          after.notes.some((note) => note.includes(`step ${at}:`))
        expect(after.differed, where).to.equal(isByRule ? 0 : 1)
      }
  })

  it('differ where the client should have come to another end, or have sent something else', () => {
    for (const entry of client_side) {
      const other = { ...entry, client_exit_status: 1 - (entry['client_exit_status'] as number) }
      expect(check({ client_side: [other] }).differed, String(entry['name'])).to.equal(1)
      const sent = (entry['client_sent'] as string[]).length === 1 ? ['KNOCK', 'RESPONSE'] : ['KNOCK']
      expect(check({ client_side: [{ ...entry, client_sent: sent }] }).differed, String(entry['name'])).to.equal(1)
    }
  })

  it('differ where a configuration is refused that should not be, or means something else', () => {
    const other = (text: unknown) => (text === 'accepted' ? 'refused' : 'accepted')
    let differed = 0
    for (const entry of configurations) {
      const changed =
        entry['program'] === 'server'
          ? { ...entry, letmeind: other(entry['letmeind']), letmeinfwd: other(entry['letmeind']) }
          : { ...entry, letmein: other(entry['letmein']) }
      const isByRule = check({ configurations: [entry] }).notes.length > 0
      if (!isByRule) differed += check({ configurations: [changed] }).differed
    }
    expect(differed).to.be.greaterThan(105)
    const minimal = configurations[0]!
    const [probe] = minimal['probes'] as Entry[]
    for (const wrong of [
      { ...minimal, control_port: { tcp: [5800], udp: [] } },
      { ...minimal, probes: [{ ...probe, answers: ['GOAWAY'], rules_added: [] }] },
      { ...minimal, probes: [{ ...probe, answers: [], rules_added: [] }] },
      { ...minimal, probes: [{ ...probe, key: '00'.repeat(32) }] },
      { ...minimal, probes: [{ ...probe, rules_added: ['ip saddr 127.0.0.1 udp dport 22 accept'] }] },
      { ...minimal, probes: [{ ...probe, resource: '00000002' }] },
    ])
      expect(check({ configurations: [wrong] }).differed).to.equal(1)
    const client = configurations.find(({ commands }) => (commands as Entry[] | undefined)?.length === 5)!
    for (const [what, changed] of changes({ commands: client['commands'] }, 'client'))
      if (/\.(user|resource|port|datagram)$/.test(what))
        expect(check({ configurations: [{ ...client, ...changed }] }).differed, what).to.equal(1)
  })

  const illShaped: [string, unknown, string][] = [
    ['a list', [], 'file: expected an object'],
    ['no vectors', {}, 'not one vector'],
    ['an unknown list', { exchange: [{}] }, 'found "exchange"'],
    ['an exchange that is none', { exchanges: [7] }, 'exchanges[0]: expected an object, found 7'],
    [
      'an exchange without its key',
      { exchanges: [{ ...exchanges[0], key: undefined }] },
      'exchanges[0].key: expected text',
    ],
    ['a policy that is none', { malformed: [{ ...malformed[0], control_error_policy: 'never' }] }, 'expected always'],
    [
      'a transport that is none',
      { exchanges: [{ ...exchanges[0], transport: 'sctp' }] },
      'transport: expected udp or tcp',
    ],
    [
      'a step without datagram',
      { malformed: [{ ...malformed[0], steps: [{}] }] },
      'malformed[0].steps[0].sent: expected text',
    ],
    [
      'an answer that is none',
      { malformed: [{ ...malformed[0], steps: [{ sent: '', answer: 'NO' }] }] },
      'expected silence',
    ],
    [
      'answers that are none',
      { client_side: [{ ...client_side[0], server_answers: [7] }] },
      'server_answers: expected lists',
    ],
    [
      'a program that is none',
      { configurations: [{ ...configurations[0], program: 'x' }] },
      'program: expected server',
    ],
    ['a mode that is none', { configurations: [{ ...configurations[0], mode: 'rw' }] }, 'mode: expected octal'],
  ]
  for (const [what, file, message] of illShaped)
    it(`are not ${what}`, () => {
      expect(() => checkLetmein(file)).to.throw(ShapeError, message)
    })
})
