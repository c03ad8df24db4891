import { expect } from 'chai'
import fc from 'fast-check'
import { ConfigError } from '../../lib/config/error.js'
import { readServerConfig } from '../../lib/config/server.js'
import { KEY, KEYS, OTHER, problems, read } from './problems.js'

describe("the server's configuration", () => {
  it('has a default for everything that letmein does not know', () => {
    const { warnings, users, ...config } = read(`[KEYS]\n1 = ${KEY}`)
    expect(config).to.deep.equal({
      file: 'posternd.conf',
      debug: false,
      letmein: {
        enabled: false,
        rate: 30,
        burst: 60,
        rateAll: 4000,
        burstAll: 1000,
        ports: { udp: [], tcp: [5800] },
        controlTimeoutMs: 5000,
        errorPolicy: 'basic-auth',
      },
      spa: { enabled: true, realm: '', windowMs: 60_000, ports: [5800], requireAddress: 'optional' },
      firewall: {
        mode: 'guard',
        table: 'postern',
        closed: 'auto',
        markBit: 0x10000,
        trust: [],
        guardForward: [],
        heardGroup: 5800,
        recordGroup: 5801,
        nft: 'nft',
      },
      limits: { leasesPerUser: 64, tagRate: 5, tagBurst: 8, maxTokens: 262_144, replayEntries: 1_000_000 },
      oldKeys: new Map(),
      log: { format: 'text' },
      people: new Map(),
      removed: new Map(),
      resources: new Map(),
    })
    expect(Buffer.from(users.get(1)!).toString('hex').toUpperCase()).to.equal(KEY)
    expect(warnings).to.have.length(2)
    expect(warnings[0]).to.match(/^posternd.conf: \[SPA\] realm is not set/)
    expect(warnings[1]).to.match(/^posternd.conf: \[RESOURCES\] has no resource/)
  })

  it('reads every option of its own', () => {
    const { spa, firewall, limits, letmein } = read(
      [
        '[GENERAL]\nport = any / udp',
        '[SPA]\nenabled = on\nrealm = bücher.example\nwindow = 10.5\nport = 7, 62201\nrequire-address = YES',
        '[FIREWALL]\nmode = guard\ntable = gate\nclosed = reject\nmark = 0x80000000\ntrust = wg0, lan\nguard-forward = 172.18.0.0/16',
        'heard-group = 1\nrecord-group = 2',
        '[LIMITS]\nleases-per-user = 0\ntag-rate = 6\ntag-burst = 7\nmax-tokens = 100\nreplay-entries = 1000',
      ].join('\n'),
    )
    expect(letmein.ports).to.deep.equal({ udp: 'any', tcp: [] })
    expect(spa).to.deep.equal({
      enabled: true,
      realm: 'bücher.example',
      windowMs: 10_500,
      ports: [7, 62201],
      requireAddress: 'yes',
    })
    expect(firewall).to.include({
      mode: 'guard',
      table: 'gate',
      closed: 'reject',
      markBit: 2 ** 31,
      heardGroup: 1,
      recordGroup: 2,
    })
    expect([firewall.trust, firewall.guardForward]).to.deep.equal([['wg0', 'lan'], ['172.18.0.0/16']])
    expect(limits).to.deep.equal({ leasesPerUser: 0, tagRate: 6, tagBurst: 7, maxTokens: 100, replayEntries: 1000 })
  })

  it('hears SPA over UDP at the control port, whatever protocol letmein has there', () => {
    expect(read('[GENERAL]\nport = 7 / tcp').spa.ports).to.deep.equal([7])
    expect(read('[GENERAL]\nport = any / udp').spa.ports).to.equal('any')
    expect(read('[GENERAL]\nport = 7 / tcp\n[SPA]\nport = any').spa.ports).to.equal('any')
  })

  it('sits in the chain that [NFTABLES] names, and guards by itself where it names none', () => {
    const nftables = '[NFTABLES]\nfamily = ip\ntable = filter\nchain-input = IN\nchain-output = OUT\n'
    const { mode, chain } = read(nftables).firewall
    expect({ mode, chain }).to.deep.equal({
      mode: 'chain',
      chain: { family: 'ip', table: 'filter', input: 'IN', output: 'OUT' },
    })
    expect(read(`${nftables}[FIREWALL]\nmode = guard`).firewall.mode).to.equal('guard')
    expect(problems('[FIREWALL]\nmode = chain')).to.have.length(3)
    expect(problems('[NFTABLES]\nchain-input = IN')[0]).to.match(/^posternd.conf:1: \[NFTABLES\] family is missing/)
  })

  it('finds a misspelled option of its own sections, and lets those of letmein pass with a word', () => {
    expect(problems('[SPA]\nrealm = x\nwindwo = 5')).to.deep.equal([
      'posternd.conf:3: [SPA] "windwo": no such option: expected one of enabled, realm, window, port, require-address, host; did you mean "window"?',
    ])
    const { warnings } = read('[GENERAL]\nport = 5 / udp\nPort = 5\n[Weather]\n[SPA]\nrealm = x')
    expect(warnings.slice(2)).to.deep.equal([
      'posternd.conf:3: [GENERAL] "Port": no such option, ignored; did you mean "port"?',
      'posternd.conf:4: section "Weather" has no meaning here, ignored',
    ])
  })

  it('refuses a section that is a letter off: nothing of what stands in it would be guarded', () => {
    expect(problems('[SPA]\nrealm = x\n[RESOURCE]\n1 = port: 22')).to.deep.equal([
      'posternd.conf:3: section "RESOURCE": expected "RESOURCES", or a name that is like none of postern\'s',
    ])
    // letmein takes it, so its own file is taken too.
    const letmein = '[NFTABLES]\nfamily = ip\ntable = t\nchain-input = i\n'
    expect(read(`${letmein}[RESOURCE]\n`).warnings.join()).to.include('did you mean "RESOURCES"?')
  })

  it('names the range of every number', () => {
    const rows = [
      'window = 5',
      'heard-group = 65536',
      'record-group = 0',
      'tag-rate = 0',
      'mark = 0x30000',
      'max-tokens = x',
    ]
    const sections = ['SPA', 'FIREWALL', 'FIREWALL', 'LIMITS', 'FIREWALL', 'LIMITS']
    const expected = ['10–300', '1–65535', '1–65535', '1–100000', 'exactly one bit', '0–4194304']
    rows.forEach((row, i) => {
      expect(problems(`[${sections[i]}]\n${row}`)[0]).to.include(`expected ${expected[i]}`)
    })
    expect(problems('[FIREWALL]\nheard-group = 5801')[0]).to.match(
      /^posternd.conf:2: \[FIREWALL\] heard-group "5801": expected a group of its own/,
    )
    expect(problems('[FIREWALL]\nguard-forward = 10.0.0.0/8, 10.1.0.0/16')[0]).to.include(
      'expected networks that do not overlap',
    )
  })

  it('says all that is wrong at once, in the order of the file, and nothing of a key', () => {
    const text = `[GENERAL]\nport = 0\nnonsense\n[KEYS]\n1 = ${KEY}0\nalice = ${KEY}\n${OTHER} = 1\n2 = ${'0'.repeat(64)}\n[RESOURCES]\nx = port: 1\n1 = ${KEY}\n[LIMITS]\ntag-rate = 0`
    const lines = problems(text)
    expect(lines.map((line) => Number(line.split(':')[1]))).to.deep.equal([2, 3, 5, 6, 7, 7, 8, 10, 11, 11, 13])
    expect(lines.join()).to.not.match(/9F3C|51D2|4AD0|7C1B/)
  })

  it('warns of what may be meant otherwise', () => {
    const rows = [
      '1 = port: 22,60000-60010',
      '2 = port: 5800 / users: 9',
      '3 = jump / input: A',
      '4 = port: 50000 / udp',
    ]
    const text = `[GENERAL]\nport = 5800 / udp\nseccomp = kill\n[SPA]\nrealm = x\n${KEYS}[RESOURCES]\n${rows.join('\n')}`
    const expected = [
      /^c:3: \[GENERAL\] seccomp has no meaning/,
      /^c:10: resource 00000001: port 60000-60010: the host takes source ports of its own from 32768-60999/,
      /^c:11: resource 00000002: its port is the control port/,
      /^c:11: resource 00000002: user 00000009 has no key/,
      /^c:12: resource 00000003: jump input: no chain-input/,
      /^c:13: resource 00000004: port 50000: the host takes source ports of its own.*reserved_ports=50000/,
    ]
    const { warnings } = readServerConfig(text, 'c', { localPorts: { first: 32768, last: 60999 } })
    expect(warnings).to.have.length(expected.length)
    expected.forEach((pattern, i) => {
      expect(warnings[i]).to.match(pattern)
    })
    expect(readServerConfig(text, 'c').warnings).to.have.length(expected.length - 2)
    const shared = read(`[SPA]\nrealm = x\n${KEYS}3 = ${OTHER.toLowerCase()}\n[RESOURCES]\n1 = port: 1`)
    expect(shared.warnings).to.deep.equal([
      'posternd.conf:6: [KEYS] user 00000003 has the key of user 00000002: expected a key of its own',
    ])
  })

  it('says what chain mode cannot do, and does without it', () => {
    const chain = '[NFTABLES]\nfamily = inet\ntable = filter\nchain-input = IN\n'
    const { warnings, resources } = read(
      `[GENERAL]\nport = 5800/udp\n[SPA]\nrealm = x\n${chain}${KEYS}[RESOURCES]\n1 = port: 22 / instant: yes / cut: yes`,
    )
    expect(resources.get(1)?.instant).to.equal(false)
    expect(warnings).to.have.length(2)
    expect(warnings[0]).to.match(/instant has no meaning in chain mode/)
    expect(warnings[1]).to.match(/cut has no power/)
  })

  it('hears letmein where the file is one of letmein’s, or says so', () => {
    const chain = '[NFTABLES]\nfamily = inet\ntable = filter\nchain-input = IN\n'
    expect(read(chain).letmein.enabled).to.equal(true)
    expect(read(`${chain}[LETMEIN]\nenabled = no`).letmein.enabled).to.equal(false)
    expect(read(`[SPA]\nrealm = x\n${chain}`).letmein.enabled).to.equal(true)
    const { letmein, warnings } = read(
      `[GENERAL]\nport = 700 / tcp,udp\n[SPA]\nrealm = x\n[LETMEIN]\nenabled = yes\nrate = 3\n${KEYS}[RESOURCES]\n1 = port: 1`,
    )
    expect(letmein).to.include({ enabled: true, rate: 3, burst: 60 })
    expect(warnings).to.have.length(2)
    expect(warnings[0]).to.match(/TCP answers every SYN/)
    expect(warnings[1]).to.match(/cannot be answered from port 700/)
    expect(problems('[LETMEIN]\nenable = yes')[0]).to.match(/did you mean "?enabled/)
  })

  it('throws nothing but ConfigError, whatever the text is, and shows no key in it', () => {
    const piece = fc.constantFrom(
      '[GENERAL]',
      '[SPA]',
      '[KEYS]',
      '[RESOURCES]',
      '[FIREWALL]',
      '[LIMITS]',
      '[NFTABLES]',
      'port = ',
      'users:',
      'port: ',
      '1 = ',
      '22',
      KEY,
      ' / ',
      '\n',
      ' ',
      '-',
      ',',
      'jump',
      'instant: yes',
      'window = ',
      'mode = chain',
      'guard-forward = ',
      '::/',
      '=',
      '\uFEFF',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
    )
    fc.assert(
      fc.property(text, (content) => {
        try {
          const { warnings } = read(content)
          expect(warnings.join()).to.not.include(KEY.slice(0, 12))
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error
          expect(error.message).to.not.include(KEY.slice(0, 12))
          for (const { line } of error.problems) expect(line).to.be.within(0, content.split('\n').length)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
