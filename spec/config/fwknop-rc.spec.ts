import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { ConfigError } from '../../lib/config/error.js'
import { findFwknopStanza, fwknopStanzas, readFwknopRc } from '../../lib/config/fwknop-rc.js'
import { inMemory } from './fwknop-files.js'

const RC = '/home/a/.fwknoprc'
const read = (text: string, stanza?: string, more = {}) => readFwknopRc(text, RC, stanza, more)
const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex')
const STANZA = '[gate]\nSPA_SERVER 192.0.2.1\nACCESS tcp/22\nALLOW_IP source\nKEY k\nHMAC_KEY h\n'

function refusals(text: string, stanza = 'gate', more = {}): string[] {
  try {
    read(text, stanza, more)
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigError)
    return (error as ConfigError).message.split('\n')
  }
  throw new Error(`accepted: ${text}`)
}

describe("fwknop's .fwknoprc", () => {
  it('has fwknop’s own defaults', () => {
    const { keys, ...rest } = read(STANZA, 'gate')
    expect(rest).to.deep.equal({
      file: RC,
      stanza: 'gate',
      server: '192.0.2.1',
      port: 62201,
      randPort: false,
      access: [{ protocol: 'tcp', port: 22 }],
      allowIp: 'source',
      resolve: { https: true },
      fwTimeout: 0,
      digestType: 'sha256',
      timeOffsetSeconds: 0,
      warnings: [],
    })
    expect([hex(keys!.key), keys!.mode, hex(keys!.hmac?.key), keys!.hmac?.digest]).to.deep.equal([
      '6b',
      'cbc',
      '68',
      'sha256',
    ])
  })

  it('is read with every line that means something here', () => {
    const { keys, ...rest } = read(
      [
        'a line of nobody',
        '[Gate]  whatever stands behind it',
        'SPA_SERVER: gate.example.org',
        '  SPA_SERVER_PORT 62202;',
        'SPA_SERVER_PROTO UDP',
        'SPA_SOURCE_PORT 4000',
        'RAND_PORT y',
        'ACCESS tcp/22,udp/53',
        'ALLOW_IP resolve',
        'RESOLVE_URL http://ip.example.org/',
        'RESOLVE_HTTP_ONLY Y',
        'FW_TIMEOUT 77',
        'KEY_BASE64:    aGVsbG8= # mine',
        'HMAC_KEY_BASE64 d29ybGQ=',
        'USE_HMAC Y',
        'HMAC_DIGEST_TYPE SHA3_512',
        'DIGEST_TYPE md5',
        'ENCRYPTION_MODE ofb',
        'TIME_OFFSET -2h',
        'SPOOF_USER dave',
        'VERBOSE 2',
        'NO_SAVE_ARGS Y',
        '[other]',
        'NONSENSE',
      ].join('\r\n'),
      'GATE',
    )
    expect(rest).to.deep.equal({
      file: RC,
      stanza: 'Gate',
      server: 'gate.example.org',
      port: 62202,
      randPort: true,
      sourcePort: 4000,
      access: [
        { protocol: 'tcp', port: 22 },
        { protocol: 'udp', port: 53 },
      ],
      allowIp: 'resolve',
      resolve: { url: 'http://ip.example.org/', https: false },
      fwTimeout: 77,
      digestType: 'md5',
      timeOffsetSeconds: -7200,
      spoofUser: 'dave',
      warnings: [],
    })
    expect([hex(keys!.key), keys!.mode, hex(keys!.hmac?.key), keys!.hmac?.digest]).to.deep.equal([
      Buffer.from('hello').toString('hex'),
      'ofb',
      Buffer.from('world').toString('hex'),
      'sha3_512',
    ])
  })

  it('lets a stanza come on top of [default], which may be alone', () => {
    const text = `${STANZA}[DEFAULT]\nDIGEST_TYPE sha1\nALLOW_IP 198.51.100.7\n`
    expect(read(text, 'gate')).to.include({ digestType: 'sha1', allowIp: 'source' })
    expect(read(text)).to.deep.include({ digestType: 'sha1', allowIp: '198.51.100.7', access: [] })
    expect(read(text).keys).to.equal(undefined)
  })

  it('has KEY beat KEY_BASE64 wherever each came from, and so with the HMAC’s', () => {
    const text = '[default]\nKEY d\nHMAC_KEY dh\n[n]\nKEY_BASE64 aGVsbG8=\nHMAC_KEY_BASE64 d29ybGQ=\n'
    const { keys } = read(text, 'n')
    expect([hex(keys!.key), hex(keys!.hmac?.key)]).to.deep.equal(['64', '6468'])
  })

  it('warns where more stands behind a value, which fwknop passes over', () => {
    const { keys, access, warnings } = read(
      `${STANZA}KEY two words\nACCESS tcp/22 ,udp/53\nHMAC_KEY hm;ac\nGPG_SIGNING_PW my own\n`,
      'gate',
    )
    expect([hex(keys!.key), hex(keys!.hmac?.key)]).to.deep.equal(['74776f', '686d'])
    expect(access).to.deep.equal([{ protocol: 'tcp', port: 22 }])
    expect(warnings).to.deep.equal([
      `${RC}:7: KEY: what is behind the first blank, ";" or "#" does not count, as in fwknop`,
      `${RC}:8: ACCESS: what is behind the first blank, ";" or "#" ",udp/53" does not count, as in fwknop`,
      `${RC}:9: HMAC_KEY: what is behind the first blank, ";" or "#" does not count, as in fwknop`,
      `${RC}:10: GPG_SIGNING_PW: what is behind the first blank, ";" or "#" does not count, as in fwknop`,
    ])
  })

  it('takes keys out of key files, by the server’s name', () => {
    const files = inMemory({
      '/k': '# c\n10.0.0.1: nope\n192.0.2.1: no\n192.0.2.1: filekey one\n',
      '/h': '192.0.2.1:   hm\n',
    })
    const text = STANZA.replace('KEY k', 'KEY_FILE /k').replace('HMAC_KEY h', 'HMAC_KEY_FILE /h')
    const { keys } = read(text, 'gate', { files })
    expect([hex(keys!.key), hex(keys!.hmac?.key)]).to.deep.equal([
      Buffer.from('filekey one').toString('hex'),
      Buffer.from('hm').toString('hex'),
    ])
    expect(hex(read(text.replace('HMAC_KEY_FILE /h\n', ''), 'gate', { files, host: '10.0.0.1' }).keys!.key)).to.equal(
      Buffer.from('nope').toString('hex'),
    )
    expect(refusals(text, 'gate', { files, host: 'elsewhere' })[0]).to.match(
      /:5: KEY_FILE: no line "elsewhere: KEY" in it/,
    )
    expect(refusals(text)).to.include('/k: no such file')
  })

  it('cuts a long HMAC passphrase as fwknop does, and says so', () => {
    const { keys, warnings } = read(`${STANZA}HMAC_KEY ${'h'.repeat(130)}\n`, 'gate')
    expect(keys!.hmac!.key).to.have.length(128)
    expect(warnings).to.deep.equal([`${RC}:7: HMAC_KEY: 130 bytes: cut to 128, as by fwknop`])
  })

  const bad: readonly (readonly [title: string, row: string, message: RegExp])[] = [
    ['an unknown name', 'BOGUS 1', /"BOGUS": expected a name that fwknop knows/],
    ['the name that fwknop’s own sample has and fwknop does not', 'CLIENT_TIMEOUT 5', /did you mean "FW_TIMEOUT"\?$/],
    ['a name in lower case', 'key abc', /"key": expected .*did you mean "KEY"/],
    ['a key behind "=", and shows nothing of it', 'KEY=hunter2 x', /: "KEY…": expected a name/],
    ['a name alone', 'USE_HMAC', /expected NAME VALUE/],
    ['blanks alone', '  ', /expected NAME VALUE/],
    ['an indented comment', ' # x', /"#": expected|expected NAME VALUE/],
    ['a port that is none', 'SPA_SERVER_PORT 65536', /SPA_SERVER_PORT "65536": expected a number, 1–65535/],
    ['a time-out out of range', 'FW_TIMEOUT 65537', /FW_TIMEOUT "65537"/],
    ['a digest that is none', 'DIGEST_TYPE sha', /DIGEST_TYPE "sha": expected md5/],
    ['a mode that is none', 'ENCRYPTION_MODE pcbc', /ENCRYPTION_MODE "pcbc"/],
    ['an address of another kind', 'ALLOW_IP ::1', /ALLOW_IP "::1": expected source, resolve, or an IPv4 address/],
    ['ports without protocol', 'ACCESS 22', /ACCESS "22": expected/],
    ['protocols in upper case', 'ACCESS TCP/22', /ACCESS "TCP\/22": .*in lower case/],
    ['a blank behind a comma', 'ACCESS tcp/22, udp/53', /ACCESS "": expected/],
    ['an offset of weeks', 'TIME_OFFSET 1w', /TIME_OFFSET "1w"/],
    ['a switch that fwknop takes for no', 'RAND_PORT Yes', /RAND_PORT "Yes": expected Y or N/],
    ['a user that nobody accepts', 'SPOOF_USER a:b', /SPOOF_USER "a:b"/],
    ['TCP', 'SPA_SERVER_PROTO tcp', /SPA_SERVER_PROTO: "tcp": expected udp/],
    ['NAT', 'NAT_ACCESS 10.0.0.9:22', /NAT_ACCESS: postern asks for no NAT/],
    ['local NAT', 'NAT_LOCAL Y', /NAT_LOCAL: postern asks for no NAT/],
    ['GnuPG', 'USE_GPG Y', /USE_GPG: GnuPG is not spoken here/],
    [
      'a forged source',
      'SPOOF_SOURCE_IP 10.0.0.9',
      /SPOOF_SOURCE_IP: a datagram goes out from an address of this host/,
    ],
    ['the same key twice', 'KEY h', /:7: KEY and HMAC_KEY are the same/],
    ['a KEY that is too long', `KEY ${'k'.repeat(33)}`, /:7: a KEY of 33 bytes/],
    ['the old mode with an HMAC', 'ENCRYPTION_MODE legacy', /ENCRYPTION_MODE legacy: expected no HMAC_KEY with it/],
  ]
  for (const [title, row, message] of bad)
    it(`refuses ${title}`, () => {
      const [first, ...others] = refusals(`${STANZA}${row}\n`)
      expect(first)
        .to.match(message)
        .and.match(new RegExp(`^${RC}:7: `))
      expect(others).to.deep.equal([])
    })

  it('refuses USE_HMAC without a key, and base64 that is none', () => {
    const bare = '[gate]\nKEY_BASE64 ab!c\nUSE_HMAC Y\n'
    expect(refusals(bare)).to.deep.equal([
      `${RC}:2: KEY_BASE64: 4 characters: expected whole base64`,
      `${RC}:3: USE_HMAC Y: expected HMAC_KEY_BASE64 or HMAC_KEY with it: nobody is asked for a key`,
    ])
  })

  it('does not look into stanzas that are not asked for', () => {
    expect(read(`${STANZA}[z]\nBOGUS\n`, 'gate').server).to.equal('192.0.2.1')
    expect(refusals(`[default]\nBOGUS\n${STANZA}`)).to.have.length(1)
  })

  it('knows the stanza of a host by its name, or by its SPA_SERVER', () => {
    const text = `${STANZA}[two]\nSPA_SERVER gate.example.org\n[three]\nSPA_SERVER Gate.example.org\n[nonsense]\nx\n`
    expect(findFwknopStanza(text, RC, 'GATE')).to.equal('gate')
    expect(findFwknopStanza(text, RC, '192.0.2.1')).to.equal('gate')
    expect(findFwknopStanza(text, RC, 'elsewhere')).to.equal(undefined)
    expect(findFwknopStanza(text, RC, 'default')).to.equal(undefined)
    expect(() => findFwknopStanza(text, RC, 'gate.example.org')).to.throw(
      ConfigError,
      `${RC}:9: "gate.example.org" is the SPA_SERVER of several stanzas: expected --stanza two, or three`,
    )
    expect(fwknopStanzas(`[default]\n${text}`)).to.deep.equal(['gate', 'two', 'three', 'nonsense'])
    expect(refusals(text, 'nope')).to.deep.equal([
      `${RC}: stanza "nope": no such stanza: expected one of "gate", "two", "three", "nonsense"`,
    ])
  })

  it('throws nothing but ConfigError, whatever the text is', () => {
    const name = fc.constantFrom(
      'KEY',
      'HMAC_KEY_BASE64',
      'ACCESS',
      'ALLOW_IP',
      'TIME_OFFSET',
      'KEY_FILE',
      '[gate]',
      'x',
    )
    const row = fc.oneof(
      fc.tuple(name, fc.string()).map(([a, b]) => `${a} ${b}`),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), (rows) => {
        const text = `[gate]\n${rows.join('\n')}`
        try {
          read(text, 'gate')
          findFwknopStanza(text, RC, 'gate')
        } catch (error) {
          expect(error).to.be.instanceOf(ConfigError)
        }
      }),
      { numRuns: 300 },
    )
  })
})

interface Vector {
  readonly name: string
  readonly cmd: readonly string[]
  readonly key?: { readonly hex: string }
  readonly hmac_key?: { readonly hex: string } | null
  readonly fields: {
    readonly user: string
    readonly message: string
    readonly client_timeout: number
    readonly digest_type_name: string
    readonly hmac_type_name: string
    readonly encryption_mode_name: string
  }
}

describe('packets that the real fwknop made of its .fwknoprc', () => {
  const json = JSON.parse(readFileSync(new URL('../vectors/fwknop.json', import.meta.url), 'utf8')) as {
    meta: { rc_files: Record<string, string> }
    vectors: Vector[]
  }
  const { rc_files } = json.meta
  const all = json.vectors.filter(({ cmd }) => cmd.includes('--rc-file'))
  it('are there', () => expect(all).to.have.length(5))

  for (const { name, cmd, key, hmac_key, fields } of all) {
    const wordAfter = (option: string) => (cmd.includes(option) ? cmd[cmd.indexOf(option) + 1] : undefined)
    it(`say what is read of it: ${name}`, () => {
      const settings = read(rc_files[wordAfter('--rc-file')!]!, wordAfter('-n'))
      expect(hex(settings.keys?.key)).to.equal(key?.hex)
      expect(hex(settings.keys?.hmac?.key)).to.equal(hmac_key?.hex)
      const ports = settings.access.map(({ protocol, port }) => `${protocol}/${port}`).join(',')
      if (!cmd.includes('-A')) expect(fields.message.split(',').slice(1).join(',')).to.equal(ports)
      if (!cmd.includes('-f')) expect(settings.fwTimeout).to.equal(fields.client_timeout)
      if (!cmd.includes('-m')) expect(settings.digestType).to.equal(fields.digest_type_name.toLowerCase())
      if (settings.spoofUser !== undefined) expect(settings.spoofUser).to.equal(fields.user)
    })
  }
})
