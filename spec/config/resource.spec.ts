import { expect } from 'chai'
import { KEYS, problems, read } from './problems.js'

/** What the file's one resource is, after [KEYS]; its line is 5. */
const resource = (definition: string) => [...read(`${KEYS}[RESOURCES]\n22 = ${definition}`).resources.values()][0]!

const problemsOf = (definition: string) => problems(`${KEYS}[RESOURCES]\n22 = ${definition}`)

describe('a resource', () => {
  for (const [word, policy] of [
    ['signed', 'yes'],
    ['either', 'optional'],
    ['Observed', 'no'],
    ['yes', 'yes'],
  ] as const)
    it(`has the address policy ${policy} where the file says ${word}`, () =>
      expect(resource(`port: 22 / require-address: ${word}`).requireAddress).to.equal(policy))

  it('names all words for an address policy where the file says another', () =>
    expect(problemsOf('port: 22 / require-address: both')[0]).to.match(
      /"both": expected yes, optional, no, signed, either, observed/,
    ))

  it('reads every part of a resource', () => {
    expect(
      resource(
        'port: 22,8000-8010 / TCP,udp / users: 1, 2,1 / timeout: 1.5 / max-timeout: 3600 / instant: yes /\n  cut: on / connections: 1 / leases: 10 / require-address: no / name: ssh',
      ),
    ).to.deep.equal({
      id: 0x22,
      line: 5,
      name: 'ssh',
      target: {
        kind: 'ports',
        ports: [
          { first: 22, last: 22 },
          { first: 8000, last: 8010 },
        ],
        protocols: ['tcp', 'udp'],
      },
      users: [1, 2],
      timeoutMs: 1500,
      saysTimeout: true,
      maxTimeoutMs: 3_600_000,
      instant: true,
      cut: true,
      connections: 1,
      maxLeases: 10,
      requireAddress: 'no',
    })
    expect(resource('jump / forward: F / input: A / input: B / input-match: saddr')).to.deep.include({
      target: {
        kind: 'jump',
        jumps: [
          { hook: 'input', chain: 'B', matchSource: true },
          { hook: 'forward', chain: 'F', matchSource: false },
        ],
      },
      timeoutMs: 600_000,
      maxTimeoutMs: 600_000,
    })
  })

  it('never makes a lease without an end', () => {
    expect(resource('port: 22 / timeout: 0').timeoutMs).to.equal(100)
    const { resources, warnings } = read(`[NFTABLES]\ntimeout = 0\n[RESOURCES]\n1 = port: 1`)
    expect(resources.get(1)).to.include({ timeoutMs: 100, maxTimeoutMs: 100 })
    expect(warnings.join('\n')).to.include('posternd.conf:4: resource 00000001: the shortest lease is 0.1 s')
  })

  it('says what is wrong with a resource, in the line where it stands', () => {
    const at = (line: number) => `posternd.conf:${line}: resource 00000022: `
    const cases: [string, string][] = [
      ['port: 2222222', `${at(5)}port "2222222": expected 1–65535`],
      ['port: 22 /\n users: 1 /\n timeout: x', `${at(7)}timeout "x": expected seconds without a unit, 0–4294967295`],
      ['port: 22 / timeout: 60 /\n max-timeout: 30', `${at(6)}max-timeout "30": expected 60–4294967295 seconds`],
      ['port: 22 / users:', `${at(5)}users "": expected ids, separated by commas`],
      ['port: 22 / instant: maybe', `${at(5)}instant "maybe": expected yes or no`],
      ['port: 22 / leases: 70000', `${at(5)}leases "70000": expected 0–65536`],
      ['port: 22 / name: 22', `${at(5)}name "22": expected 1–32 of A–Z a–z 0–9 _ - ., not digits alone`],
      ['port: 22 / port: 23', `${at(5)}part "port" is here twice`],
      ['port: 22 /', `${at(5)}"": expected tcp, udp or NAME: VALUE between "/"`],
      ['jump / users: 1', `${at(5)}jump: expected input:, forward: or output: CHAIN`],
      ['tcp', `${at(5)}expected a part "port: NUMBER" or "jump"`],
    ]
    for (const [definition, message] of cases) expect(problemsOf(definition)).to.deep.equal([message])
    expect(problemsOf('port: 22 / timout: 5')[0]).to.match(
      /part "timout": expected one of .*; did you mean "timeout"\?$/,
    )
    for (const part of ['instant: yes', 'cut: yes', 'connections: 1', 'port: 5'])
      expect(problemsOf(`jump / input: A / ${part}`)[0]).to.match(/part "\w+": expected one of input, /)
  })

  it('has no instant resource that requires a signed address', () => {
    expect(problemsOf('port: 22 / instant: yes / require-address: yes')[0]).to.match(
      /instant: yes: expected require-address/,
    )
    expect(problems('[SPA]\nrequire-address = yes\n[RESOURCES]\n1 = port: 1 / instant: yes')[0]).to.match(
      /^posternd.conf:4: /,
    )
  })

  it('has no port in two resources, whatever protocol they are for', () => {
    const [first, ...others] = problems(
      '[RESOURCES]\n1 = port: 8000-8010\n2 = port: 22,8010-8020\n3 = port: 8005 / udp\n4 = port: 23',
    )
    expect(first).to.equal(
      'posternd.conf:3: resource 00000002: port "8010-8020": expected ports that no other resource has; resource 00000001 in line 2 has 8000-8010',
    )
    expect(others).to.deep.equal([
      'posternd.conf:4: resource 00000003: port "8005": expected ports that no other resource has; resource 00000001 in line 2 has 8000-8010',
    ])
    expect(problems('[RESOURCES]\n1 = port: 1 / name: a\n2 = port: 2 / name: a')[0]).to.match(
      /^posternd.conf:3: .*name "a"/,
    )
  })

  it('bounds the tokens that instant resources put into the kernel', () => {
    const file = (most: number, users = '') =>
      `[LIMITS]\nmax-tokens = ${most}\n${KEYS}[RESOURCES]\n1 = port: 1 / instant: yes${users}\n2 = port: 2 / instant: yes`
    expect(read(file(256)).limits.maxTokens).to.equal(2 * 2 * 16 * 4)
    expect(problems(file(255))).to.deep.equal([
      'posternd.conf:2: [LIMITS] max-tokens "255": expected 256 or more, 64 for each user of each of 2 instant resources, or fewer of them',
    ])
    expect(read(file(192, ' / users: 1, 77')).limits.maxTokens).to.equal(192)
  })

  it('takes the prefix lengths of both families, whose slash is no end of a part', () => {
    expect(resource('port: 22 / prefix: 24/64 / timeout: 5')).to.deep.include({
      prefix: { v4: 24, v6: 64 },
      timeoutMs: 5000,
    })
    expect(resource('port: 22 / prefix: 32 / 128')).to.deep.include({ prefix: { v4: 32, v6: 128 } })
    for (const wrong of ['24', '8/64', '24/16', '33/64', '24/129', 'a/b', '24/64/3'])
      expect(problemsOf(`port: 22 / prefix: ${wrong}`).join('\n'), wrong).to.match(
        /expected the prefix lengths of IPv4 and IPv6, 16–32\/32–128, like 24\/64/,
      )
  })
})
