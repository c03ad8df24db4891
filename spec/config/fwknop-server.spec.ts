import { expect } from 'chai'
import fc from 'fast-check'
import { ConfigError } from '../../lib/config/error.js'
import { readServerConfig } from '../../lib/config/server.js'
import { ACCESS, DAEMON, inMemory, readWith, refusals, STANZA } from './fwknop-files.js'
import { KEY } from './problems.js'

const stanza = (...rows: string[]) => `${STANZA}${rows.map((row) => `${row}\n`).join('')}`
const OPENS = stanza('OPEN_PORTS tcp/22')
const daemon = (...rows: string[]) => ({ files: { [DAEMON]: `${rows.join('\n')}\n` } })

describe('[FWKNOP] of posternd.conf', () => {
  it('is off where it is not there', () => {
    const config = readServerConfig('[GENERAL]\nport = 5800 / udp\n', 'posternd.conf')
    expect(config.fwknop).to.equal(undefined)
  })

  it('may be off with its files named, which are not read then', () => {
    const config = readWith('nonsense', { more: 'enabled = no\n' })
    expect(config.fwknop).to.equal(undefined)
    expect(config.resources.size).to.equal(0)
  })

  it('has every option of its own', () => {
    const { fwknop } = readWith(OPENS, {
      more: 'port = 62201, 7\nmax-age = 30\nrate = 1\nburst = 2\nrate-all = 3\nburst-all = 4\n',
    })
    const { settings, ...rest } = fwknop!
    const rates = { rate: 1, burst: 2, rateAll: 3, burstAll: 4 }
    expect(rest).to.deep.equal({ files: [ACCESS], folders: [], ports: [7, 62201], ...rates })
    expect(settings.maxAgeMs).to.equal(30_000)
  })

  it('lets strangers cost no more HMACs where there are more keys', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => `SOURCE ANY\nKEY k\nHMAC_KEY h${i}\nOPEN_PORTS tcp/22\n`).join('')
    const rates = (access: string) => {
      const { rate, burst, rateAll, burstAll } = readWith(access).fwknop!
      return [rate, burst, rateAll, burstAll]
    }
    expect(rates(many(1) + many(1))).to.deep.equal([30, 60, 4000, 1000])
    expect(rates(many(8))).to.deep.equal([30, 60, 500, 125])
    expect(rates(many(100))).to.deep.equal([30, 60, 40, 10])
    const { fwknop, warnings } = readWith(many(8), { more: 'rate-all = 4000\n' })
    expect(fwknop!.rateAll).to.equal(4000)
    expect(warnings).to.deep.equal([
      'posternd.conf:7: [FWKNOP] rate-all 4000: strangers can have 32000 HMACs made a second, for there are 8 different keys',
    ])
  })

  it('says what is wrong in both files at once, each with its own name', () => {
    expect(refusals(stanza('OPEN_PORTS tcp'), { more: 'max-age = 3601\nrate = 0\n' })).to.deep.equal([
      'posternd.conf:7: [FWKNOP] max-age "3601": expected 1–3600 seconds',
      'posternd.conf:8: [FWKNOP] rate "0": expected 1–100000',
      `${ACCESS}:4: OPEN_PORTS "tcp": expected tcp/PORT or udp/PORT by commas, 1–65535, no ranges`,
    ])
  })

  it('expects paths that begin with a slash, and a file where it is on', () => {
    const problems = (text: string) => {
      try {
        readServerConfig(text, 'posternd.conf')
      } catch (error) {
        return (error as ConfigError).message
      }
      throw new Error(`accepted: ${text}`)
    }
    expect(problems('[FWKNOP]\naccess-file = access.conf\n')).to.match(
      /:2: .*"access.conf": expected a path that begins with \/$/,
    )
    expect(problems('[FWKNOP]\nenabled = yes\n')).to.match(/:2: .*enabled yes: expected access-file = /)
    expect(problems(`[FWKNOP]\naccess-file = ${ACCESS}\n`)).to.equal(`${ACCESS}: no such file`)
    expect(problems('[FWKNOP]\nacces-file = /x\n')).to.match(/did you mean "access-file"/)
  })
})

describe('what OPEN_PORTS opens', () => {
  it('is a resource of its own where [RESOURCES] has none, which no user of [KEYS] may open', () => {
    const { resources, fwknop } = readWith(stanza('OPEN_PORTS tcp/22, udp/22', 'FW_ACCESS_TIMEOUT 900'))
    expect([...resources.values()].map(({ line: _, ...resource }) => resource)).to.deep.equal(
      (['tcp', 'udp'] as const).map((protocol, i) => ({
        id: 0xf0000016 + i * 0x10000,
        name: `fwknop-${protocol}-22`,
        target: { kind: 'ports', ports: [{ first: 22, last: 22 }], protocols: [protocol] },
        users: [],
        timeoutMs: 900_000,
        saysTimeout: true,
        maxTimeoutMs: 900_000,
        instant: false,
        cut: false,
        connections: 0,
        maxLeases: 0,
        requireAddress: 'optional',
      })),
    )
    expect([...fwknop!.settings.resources]).to.deep.equal([
      ['tcp/22', { resource: 0xf0000016, opens: [{ protocol: 'tcp', port: 22 }], onlyNamed: false }],
      ['udp/22', { resource: 0xf0010016, opens: [{ protocol: 'udp', port: 22 }], onlyNamed: false }],
    ])
  })

  it('is the resource of [RESOURCES] that has the port, with all that it opens', () => {
    const { resources, fwknop } = readWith(stanza('OPEN_PORTS tcp/53, udp/53'), {
      more: '[RESOURCES]\n53 = port: 53 / tcp,udp / users: 1\n9 = port: 9\n',
    })
    expect([...resources.keys()]).to.deep.equal([0x53, 9])
    const opens = [
      { protocol: 'tcp', port: 53 },
      { protocol: 'udp', port: 53 },
    ]
    const target = { resource: 0x53, opens, onlyNamed: true }
    expect([...fwknop!.settings.resources]).to.deep.equal([
      ['tcp/53', target],
      ['udp/53', target],
    ])
  })

  it('may not be a part of what a resource opens', () => {
    expect(refusals(OPENS, { more: '[RESOURCES]\n22 = port: 22,60000-60010\n' })).to.deep.equal([
      `${ACCESS}:4: OPEN_PORTS: tcp/22: resource 00000022 of posternd.conf opens tcp/60000 with it (12 ports): ` +
        'expected all of them in OPEN_PORTS, or a resource of its own for tcp/22',
    ])
    expect(refusals(stanza('OPEN_PORTS udp/22'), { more: '[RESOURCES]\n22 = port: 22\n' })).to.deep.equal([
      `${ACCESS}:4: OPEN_PORTS: udp/22: resource 00000022 in line 8 of posternd.conf has port 22 for tcp alone: ` +
        'expected udp in it too',
    ])
  })

  it('is everything that is guarded where a stanza has none, but what has a list of users, and that is said', () => {
    const { fwknop, warnings } = readWith(`${STANZA}${OPENS}`, {
      more: '[RESOURCES]\n9 = port: 9\n8 = port: 8 / users: 1\n7 = jump / input: X\n',
    })
    expect([...fwknop!.settings.resources.keys()]).to.deep.equal(['tcp/22', 'tcp/9'])
    expect(warnings.find((text) => text.startsWith(ACCESS))).to.equal(
      `${ACCESS}:1: a stanza without OPEN_PORTS: it may open all that is guarded here, but resources with a list of users: expected OPEN_PORTS`,
    )
  })

  it('is told where RESTRICT_PORTS takes it back', () => {
    const { warnings } = readWith(stanza('OPEN_PORTS tcp/22', 'RESTRICT_PORTS tcp/22'))
    expect(warnings).to.deep.equal([
      `${ACCESS}:4: OPEN_PORTS: tcp/22: RESTRICT_PORTS has tcp/22, which opens with it: it is not opened`,
    ])
  })

  it('has ids that nothing else has', () => {
    expect(refusals(OPENS, { more: '[RESOURCES]\nF0000016 = port: 9\n' })[0]).to.match(
      /:8: resource F0000016: tcp\/22 of OPEN_PORTS has this id: expected another/,
    )
    expect(refusals(OPENS, { more: `[KEYS]\nF1000000 = ${KEY}\n` })[0]).to.match(
      /\[KEYS\] user F1000000: the stanzas of access.conf/,
    )
  })
})

describe("fwknop's fwknopd.conf", () => {
  const heard = (...rows: string[]) => readWith(OPENS, daemon(...rows)).fwknop!
  it('says where fwknopd would hear, which is heard too', () => {
    expect(heard('# nothing').ports).to.deep.equal([5800, 62201])
    expect(heard('PCAP_FILTER udp port 62202;').ports).to.deep.equal([5800, 62202])
    expect(heard('PCAP_FILTER UDP dst port 7 or udp port 8').ports).to.deep.equal([7, 8, 5800])
    expect(heard('PCAP_FILTER udp;').ports).to.equal('any')
    expect(heard('UDPSERV_PORT 99;').ports).to.deep.equal([5800, 62201])
    expect(heard('ENABLE_UDP_SERVER Y;', 'UDPSERV_PORT 99;', 'PCAP_FILTER udp port 1;').ports).to.deep.equal([99, 5800])
    const named = heard('SYSLOG_IDENTITY udp;', 'PCAP_FILTER $SYSLOG_IDENTITY port 99;')
    expect([named.ports, named.files]).to.deep.equal([
      [99, 5800],
      [ACCESS, DAEMON],
    ])
  })

  it('says how old a packet may be', () => {
    expect(heard('MAX_SPA_PACKET_AGE 300;').settings.maxAgeMs).to.equal(300_000)
    expect(heard('UDPSERV_PORT 30', 'MAX_SPA_PACKET_AGE $UDPSERV_PORT').settings.maxAgeMs).to.equal(30_000)
    const more = 'max-age = 60\nport = 7\n'
    const rows = ['ENABLE_SPA_PACKET_AGING N', 'MAX_SPA_PACKET_AGE 100000', 'PCAP_FILTER not tcp']
    const { fwknop } = readWith(OPENS, { ...daemon(...rows), more })
    expect([fwknop!.settings.maxAgeMs, fwknop!.ports]).to.deep.equal([60_000, [7]])
  })

  it('accepts what has no meaning here', () => {
    const rows = [
      'PCAP_INTF eth0;',
      'FWKNOP_RUN_DIR /run/fwknop',
      'DIGEST_FILE $FWKNOP_RUN_DIR/x',
      'ENABLE_TCP_SERVER N',
      'ENABLE_FIREWD_FORWARDING N',
      'FIREWD_INPUT_ACCESS ACCEPT, filter, INPUT, 1, FWKNOP_INPUT, 1;',
      'FLUSH_IPFW_AT_INIT Y',
      'PF_ANCHOR_NAME fwknop',
      'EXTERNAL_CMD_ALARM 30;',
    ]
    expect(readWith(OPENS, daemon(...rows)).warnings).to.deep.equal([])
  })

  it('is told where it is passed over', () => {
    const rows = ['BOGUS 1', 'PCAP_INTF: eth0', 'max_spa_packet_age 5', 'ENABLE_DIGEST_PERSISTENCE N', 'ACCESS_FILE /x']
    expect(readWith(OPENS, daemon(...rows)).warnings).to.deep.equal([
      `${DAEMON}: ACCESS_FILE /x: not read: [FWKNOP] access-file is ${ACCESS}`,
      `${DAEMON}:1: "BOGUS": no such option, ignored as by fwknopd`,
      `${DAEMON}:2: "PCAP_INTF:": no such option, ignored as by fwknopd`,
      `${DAEMON}:3: "max_spa_packet_age": no such option, ignored as by fwknopd; did you mean "MAX_SPA_PACKET_AGE"?`,
      `${DAEMON}:4: ENABLE_DIGEST_PERSISTENCE N: has no meaning here: a packet is taken once`,
    ])
  })

  const bad: readonly (readonly [row: string, message: RegExp])[] = [
    ['ENABLE_TCP_SERVER Y;', /ENABLE_TCP_SERVER Y: a knock is a UDP datagram here/],
    ['ENABLE_SPA_OVER_HTTP Y;', /a knock is a UDP datagram here/],
    ['ENABLE_X_FORWARDED_FOR Y;', /a knock is a UDP datagram here/],
    ['ENABLE_IPT_FORWARDING Y;', /ENABLE_IPT_FORWARDING Y: postern does no NAT/],
    ['ENABLE_IPT_LOCAL_NAT y', /postern does no NAT/],
    ['ENABLE_IPT_SNAT Y', /postern does no NAT/],
    ['ENABLE_IPT_OUTPUT Y', /postern opens no way out/],
    ['ENABLE_FIREWD_FORWARDING Y', /ENABLE_FIREWD_FORWARDING Y: postern does no NAT/],
    ['ENABLE_FIREWD_OUTPUT Y', /postern opens no way out/],
    ['ENABLE_EXTERNAL_CMDS Y', /postern runs no commands/],
    ['ENABLE_DESTINATION_RULE Y', /a lease is for all addresses of this host/],
    [
      'ENABLE_SPA_PACKET_AGING N',
      /a packet would be good for ever: expected at most 3600 seconds, or \[FWKNOP\] max-age/,
    ],
    ['ENABLE_SPA_PACKET_AGING maybe', /"maybe": expected Y or N/],
    ['MAX_SPA_PACKET_AGE 7200', /MAX_SPA_PACKET_AGE 7200: expected at most 3600 seconds/],
    ['MAX_SPA_PACKET_AGE 0', /MAX_SPA_PACKET_AGE "0": expected a number, 1–100000/],
    ['UDPSERV_PORT 70000', /UDPSERV_PORT "70000": expected a number, 1–65535/],
    [
      'PCAP_FILTER tcp port 62201',
      /PCAP_FILTER "tcp port 62201": expected "udp port NUMBER" or "udp", or \[FWKNOP\] port/,
    ],
    ['PCAP_FILTER $NOPE', /expected \$NOPE to be said in a line above it/],
    ['PCAP_FILE /x', /packets are heard, not read from a file/],
    ['ACCESS_FOLDER /x', /write %include_folder \/x in access.conf/],
    ['PCAP_INTF', /expected NAME VALUE/],
  ]
  for (const [row, message] of bad)
    it(`is refused with ${row}`, () => {
      const [first] = refusals(OPENS, daemon('# a comment', row))
      expect(first)
        .to.match(message)
        .and.match(/^\/etc\/fwknop\/fwknopd\.conf:2: /)
    })

  it('throws nothing but ConfigError, whatever the text is', () => {
    const name = fc.constantFrom('PCAP_FILTER', 'MAX_SPA_PACKET_AGE', 'UDPSERV_PORT', 'ENABLE_UDP_SERVER', 'x')
    const value = fc.oneof(fc.constantFrom('Y', 'udp port 5', '$UDPSERV_PORT', '7'), fc.string())
    const row = fc.oneof(
      fc.tuple(name, value).map(([a, b]) => `${a} ${b}`),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), (rows) => {
        try {
          readWith(OPENS, daemon(...rows))
        } catch (error) {
          expect(error).to.be.instanceOf(ConfigError)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('is missed by its own name', () => {
    const text = `[FWKNOP]\naccess-file = ${ACCESS}\nconfig-file = /nowhere\n`
    const files = inMemory({ [ACCESS]: OPENS })
    expect(() => readServerConfig(text, 'posternd.conf', {}, files)).to.throw(ConfigError, '/nowhere: no such file')
  })
})
