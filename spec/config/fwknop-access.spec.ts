import { expect } from 'chai'
import fc from 'fast-check'
import { ConfigError } from '../../lib/config/error.js'
import { ACCESS, readWith, refusals, STANZA, stanzaOf } from './fwknop-files.js'

const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('utf8')
const lines = (...rows: string[]) => `${STANZA}${rows.map((row) => `${row}\n`).join('')}`

describe("fwknop's access.conf", () => {
  it('has fwknopd’s own defaults', () => {
    const { fwknop } = readWith(lines('OPEN_PORTS tcp/22'))
    expect(fwknop!.ports).to.deep.equal([5800, 62201])
    expect(fwknop!.settings.maxAgeMs).to.equal(120_000)
    const [{ keys, ...stanza }] = fwknop!.settings.stanzas as never as [Record<string, unknown>]
    expect(stanza).to.deep.equal({
      user: 0xf1000000,
      title: 'access.conf:1',
      openPorts: [{ protocol: 'tcp', port: 22 }],
      restrictPorts: [],
      leaseSeconds: 30,
      maxSeconds: 300,
      requireAddress: false,
    })
    expect(keys).to.deep.include({ mode: 'cbc' })
  })

  it('is read with every line that fwknopd honours', () => {
    const stanza = stanzaOf(
      [
        '# a comment\n;another\n  # indented, as fwknopd lets it pass\n\nSOURCE:\t192.168.10.77/24, 10.1.1.123 , 10.2.0.0/255.255.0.0 ; who',
        'DESTINATION 198.51.100.1',
        '  KEY_BASE64:   aGVsbG8gd29ybGQ=',
        'HMAC_KEY a#b c',
        'HMAC_DIGEST_TYPE SHA512',
        'ENCRYPTION_MODE ctr',
        'OPEN_PORTS TCP/22, udp/53',
        'RESTRICT_PORTS tcp/25',
        'FW_ACCESS_TIMEOUT 60',
        'MAX_FW_TIMEOUT 3600;',
        'REQUIRE_USERNAME alice',
        'REQUIRE_SOURCE yes',
        'ACCESS_EXPIRE_EPOCH 1795353023',
        'ENABLE_CMD_EXEC N',
        'CMD_EXEC_USER nobody',
      ].join('\r\n'),
    )
    const { keys, ...rest } = stanza
    expect(rest).to.deep.equal({
      user: 0xf1000000,
      title: 'access.conf:5',
      sources: [
        { address: '192.168.10.0', length: 24 },
        { address: '10.1.1.123', length: 32 },
        { address: '10.2.0.0', length: 16 },
      ],
      destinations: [{ address: '198.51.100.1', length: 32 }],
      openPorts: [
        { protocol: 'tcp', port: 22 },
        { protocol: 'udp', port: 53 },
      ],
      restrictPorts: [{ protocol: 'tcp', port: 25 }],
      leaseSeconds: 60,
      maxSeconds: 3600,
      username: 'alice',
      requireAddress: true,
      expiresMs: 1_795_353_023_000,
    })
    expect([hex(keys.key), keys.mode, hex(keys.hmac?.key), keys.hmac?.digest]).to.deep.equal([
      'hello world',
      'ctr',
      'a#b c',
      'sha512',
    ])
  })

  it('ends with the first moment of the day of ACCESS_EXPIRE, where this host is', () => {
    const { expiresMs } = stanzaOf(lines('OPEN_PORTS tcp/22', 'ACCESS_EXPIRE 2/28/2030'))
    expect(new Date(expiresMs!).toString()).to.match(/^Thu Feb 28 2030 00:00:00 /)
  })

  it('cuts a key of before 2.5 to what counted of it', () => {
    const { keys } = stanzaOf(
      'SOURCE ANY\nKEY 0123456789abcdefghijklmnopqrstuvwxyz\nHMAC_KEY h\nENCRYPTION_MODE legacy\nOPEN_PORTS tcp/1\n',
    )
    expect([hex(keys.key), keys.mode]).to.deep.equal(['0123456789abcdef', 'legacy'])
  })

  it('takes the last of two lines, as fwknopd does, and says so', () => {
    const { fwknop, warnings } = readWith(lines('OPEN_PORTS tcp/22', 'KEY_BASE64 Zm9v', 'OPEN_PORTS tcp/80'))
    const [stanza] = fwknop!.settings.stanzas
    expect(hex(stanza!.keys.key)).to.equal('foo')
    expect(stanza!.openPorts).to.deep.equal([{ protocol: 'tcp', port: 80 }])
    expect(warnings).to.deep.equal([
      `${ACCESS}:5: KEY_BASE64: counts, and not KEY in line 2: of two the last does, as in fwknopd`,
      `${ACCESS}:6: OPEN_PORTS: counts, and not OPEN_PORTS in line 4: of two the last does, as in fwknopd`,
    ])
  })

  const at4 = `${ACCESS}:4: `
  const GOOD = 'OPEN_PORTS tcp/22'
  const bad: readonly (readonly [title: string, row: string, message: RegExp])[] = [
    [
      'a name in lower case, with which fwknopd opens every port',
      'open_ports tcp/22',
      /"open_ports": expected a name .*; did you mean "OPEN_PORTS"\?$/,
    ],
    ['an unknown name', 'OPEN_PORT tcp/22', /"OPEN_PORT": expected .*did you mean "OPEN_PORTS"/],
    ['a key behind "=", and shows nothing of it', 'KEY=hunter2 x', /: "KEY…": expected a name/],
    ['a name alone', 'OPEN_PORTS', /expected NAME VALUE$/],
    ['a name with a comment alone', 'OPEN_PORTS ;tcp/22', /expected NAME VALUE$/],
    ['blanks alone', '   ', /blanks alone: expected an empty line/],
    ['an indented comment', '  #mine', /blanks before a comment/],
    ['a control character', 'OPEN_PORTS tcp/\u000022', /a control character/],
    ['a long line', `REQUIRE_USERNAME ${'x'.repeat(1020)}`, /more than 1022 bytes/],
    ['a port that is none', 'OPEN_PORTS tcp/65536', /OPEN_PORTS "tcp\/65536": expected tcp\/PORT or udp\/PORT/],
    ['port 0', 'OPEN_PORTS tcp/0', /OPEN_PORTS "tcp\/0"/],
    ['a range, which fwknopd takes for its first port', 'OPEN_PORTS tcp/1-9', /OPEN_PORTS "tcp\/1-9": .*no ranges/],
    [
      'ports without commas, of which fwknopd takes the first',
      'OPEN_PORTS tcp/22 tcp/80',
      /OPEN_PORTS "tcp\/22 tcp\/80"/,
    ],
    ['another protocol', 'OPEN_PORTS icmp/8', /OPEN_PORTS "icmp\/8"/],
    ['a comma too many', 'OPEN_PORTS tcp/22,', /OPEN_PORTS "": expected/],
    ['a time-out with more behind it', 'FW_ACCESS_TIMEOUT 5m', /FW_ACCESS_TIMEOUT "5m": expected a number, 0–8388608/],
    ['a time-out out of range', 'MAX_FW_TIMEOUT 8388609', /MAX_FW_TIMEOUT "8388609"/],
    ['a switch that fwknopd takes for no', 'REQUIRE_SOURCE_ADDRESS true', /"true": expected Y or N/],
    ['a day that is none', 'ACCESS_EXPIRE 13/45/2030', /ACCESS_EXPIRE "13\/45\/2030": expected MM\/DD\/YYYY/],
    ['a day the other way round', 'ACCESS_EXPIRE 2030-01-01', /expected MM\/DD\/YYYY/],
    ['seconds that are none', 'ACCESS_EXPIRE_EPOCH soon', /ACCESS_EXPIRE_EPOCH "soon": expected seconds since 1970/],
    ['an unknown digest', 'HMAC_DIGEST_TYPE sha', /HMAC_DIGEST_TYPE "sha": expected md5, sha1/],
    ['an unknown mode', 'ENCRYPTION_MODE pcbc', /ENCRYPTION_MODE "pcbc": expected cbc, ecb/],
    ['GnuPG as a mode', 'ENCRYPTION_MODE Asymmetric', /GnuPG is not spoken here/],
    [
      'a user with a blank behind it',
      'REQUIRE_USERNAME alice ',
      /REQUIRE_USERNAME "alice ": expected no blanks at its end/,
    ],
    ['commands', 'ENABLE_CMD_EXEC Y', /ENABLE_CMD_EXEC Y: postern runs no commands: delete the line/],
    ['commands through sudo', 'ENABLE_CMD_SUDO_EXEC yes', /postern runs no commands/],
    ['command cycles', 'CMD_CYCLE_OPEN /sbin/nft', /CMD_CYCLE_OPEN: postern opens the port in nftables by itself/],
    ['NAT', 'FORCE_NAT 10.0.0.1 22', /FORCE_NAT: postern does no NAT/],
    ['NAT switches', 'FORWARD_ALL Y', /FORWARD_ALL Y: postern does no NAT/],
    ['GnuPG', 'GPG_REMOTE_ID ABCD', /GPG_REMOTE_ID: GnuPG is not spoken here/],
    ['IPv6, as fwknopd does', 'DESTINATION 2001:db8::1', /DESTINATION "2001:db8::1": expected ANY, or IPv4/],
    ['octal addresses', 'DESTINATION 010.0.0.1', /DESTINATION "010.0.0.1"/],
    ['an address of three numbers', 'DESTINATION 10.0.0', /DESTINATION "10.0.0"/],
    ['a network of everything, as fwknopd does', 'DESTINATION 0.0.0.0/0', /expected a prefix length of 1–32/],
    ['a mask with holes', 'DESTINATION 10.0.0.0/255.0.255.0', /expected a prefix length/],
    [
      'an included file by its name alone',
      '%include more.conf',
      /%include "more.conf": expected a path that begins with \//,
    ],
    ['a misspelled inclusion', '%included /x', /"%included": expected a name/],
    ['a key that nobody changed', 'KEY __CHANGEME__', /KEY: __CHANGEME__: expected a key/],
    ['base64 that is none', 'HMAC_KEY_BASE64 ab!c', /HMAC_KEY_BASE64: 4 characters: expected whole base64/],
    ['base64 that is cut off', 'KEY_BASE64 AAAAA', /KEY_BASE64: 5 characters: expected whole base64/],
    ['a key with a blank behind it', 'KEY secret ; mine', /KEY: blanks at its end, .*: expected none, or KEY_BASE64$/],
  ]
  for (const [title, row, message] of bad)
    it(`refuses ${title}`, () => {
      const [first, ...others] = refusals(`${STANZA}${row}\n${/^OPEN_PORTS/.test(row) ? '' : GOOD}\n`)
      expect(first).to.match(message)
      expect(first!.startsWith(at4), first).to.equal(true)
      expect(others).to.deep.equal([])
    })

  const wrongStanzas: readonly (readonly [title: string, text: string, message: string | RegExp])[] = [
    ['no stanza', '# nothing\n', /access\.conf: no stanza: expected a line SOURCE ANY/],
    [
      'lines above the first SOURCE',
      `OPEN_PORTS tcp/22\n${STANZA}OPEN_PORTS tcp/22\n`,
      /:1: OPEN_PORTS: expected a line SOURCE above it/,
    ],
    ['a stanza without a key', 'SOURCE ANY\nOPEN_PORTS tcp/22\n', /:1: a stanza without a key/],
    [
      'a stanza without HMAC_KEY',
      'SOURCE ANY\nKEY k\nOPEN_PORTS tcp/22\n',
      /:1: a stanza without HMAC_KEY, .* or \[FWKNOP\] without-hmac = accept/,
    ],
    [
      'the same key twice',
      'SOURCE ANY\nKEY k\nHMAC_KEY_BASE64 aw==\nOPEN_PORTS tcp/22\n',
      /:1: a stanza with KEY and HMAC_KEY are the same|the same: expected two keys/,
    ],
    [
      'a KEY that is too long',
      `SOURCE ANY\nKEY ${'k'.repeat(33)}\nHMAC_KEY h\nOPEN_PORTS tcp/22\n`,
      /a KEY of 33 bytes, with which fwknop refuses every packet/,
    ],
    [
      'an HMAC key that is too long',
      `SOURCE ANY\nKEY k\nHMAC_KEY ${'h'.repeat(137)}\nOPEN_PORTS tcp/22\n`,
      /an HMAC key of 137 bytes/,
    ],
    [
      'an unreadable SOURCE',
      'SOURCE host.example\nKEY k\nHMAC_KEY h\nOPEN_PORTS tcp/22\n',
      /:1: SOURCE "host.example": expected ANY, or IPv4/,
    ],
  ]
  for (const [title, text, message] of wrongStanzas)
    it(`refuses ${title}`, () => {
      const [first, ...others] = refusals(text)
      expect(first).to.match(message as RegExp)
      expect(others).to.deep.equal([])
    })

  it('takes a stanza without HMAC_KEY where the administrator says so in as many words', () => {
    const { fwknop, warnings } = readWith('SOURCE ANY\nKEY k\nOPEN_PORTS tcp/22\n', { more: 'without-hmac = accept\n' })
    expect(fwknop!.settings.stanzas[0]!.keys.hmac).to.equal(undefined)
    expect(warnings).to.deep.equal([
      `${ACCESS}:1: a stanza without HMAC_KEY (without-hmac = accept): strangers can make posternd decrypt`,
    ])
  })

  it('counts a port that is there twice once, where fwknopd would refuse every request for it', () => {
    const { fwknop, warnings } = readWith(lines('OPEN_PORTS tcp/22, TCP/22'))
    expect(fwknop!.settings.stanzas[0]!.openPorts).to.deep.equal([{ protocol: 'tcp', port: 22 }])
    expect(warnings[0]).to.match(/:4: OPEN_PORTS: tcp\/22 is here twice/)
  })

  it('throws nothing but ConfigError, whatever the text is, and shows no key in it', () => {
    const secret = 'hunter2hunter2hunter2'
    const name = fc.constantFrom(
      'SOURCE',
      'KEY',
      'KEY_BASE64',
      'HMAC_KEY',
      'OPEN_PORTS',
      'GPG_X',
      '%include',
      'ACCESS_EXPIRE',
      'x',
    )
    const value = fc.oneof(
      fc.constantFrom('ANY', 'tcp/22', `${secret}`, `${secret}!`, '10.0.0.0/8', 'Y', '/x'),
      fc.string(),
    )
    const row = fc.oneof(
      fc.tuple(name, value).map(([a, b]) => `${a} ${b}`),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), (rows) => {
        try {
          readWith(rows.join('\n'))
        } catch (error) {
          expect(error).to.be.instanceOf(ConfigError)
          expect((error as Error).message).not.to.include(secret)
        }
      }),
      { numRuns: 500 },
    )
  })
})
