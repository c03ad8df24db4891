/**
 * The real fwknopd and posternd read the same files: what fwknopd refuses is refused here, and what it accepts is accepted, but
 * for what it takes for something else than it looks, and what posternd does not do.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { ConfigError } from '../../lib/config/error.js'
import { filesFor, thisProcess } from '../../lib/config/files.js'
import { readServerConfig } from '../../lib/config/server.js'

const KEYS = 'SOURCE ANY\nKEY k\nHMAC_KEY h\n'
const OPENS = 'OPEN_PORTS tcp/22\n'
/** Further lines of a stanza. */
const stanza = (...rows: string[]) => `${KEYS}${OPENS}${rows.map((row) => `${row}\n`).join('')}`
/** A stanza whose SOURCE is this. */
const from = (source: string) => `SOURCE ${source}\nKEY k\nHMAC_KEY h\n${OPENS}`
const opening = (ports: string) => `${KEYS}OPEN_PORTS ${ports}\n`

const BOTH_ACCEPT = [
  stanza(),
  stanza('\tFW_ACCESS_TIMEOUT 5'),
  stanza('FW_ACCESS_TIMEOUT 0', 'MAX_FW_TIMEOUT 0'),
  stanza('FW_ACCESS_TIMEOUT: 8388608'),
  stanza('REQUIRE_SOURCE_ADDRESS yes'),
  stanza('REQUIRE_SOURCE Y', 'REQUIRE_USERNAME alice'),
  stanza('ACCESS_EXPIRE 1/2/2030'),
  stanza('ACCESS_EXPIRE_EPOCH 2000000000'),
  stanza('RESTRICT_PORTS tcp/25, udp/25'),
  stanza('DESTINATION 198.51.100.7'),
  stanza('ENABLE_CMD_EXEC N', 'CMD_EXEC_USER nobody'),
  stanza('ENCRYPTION_MODE legacy'),
  stanza('ENCRYPTION_MODE Ctr', 'HMAC_DIGEST_TYPE SHA3_512'),
  stanza('HMAC_KEY 2', 'KEY 3'),
  stanza('OPEN_PORTS tcp/80'),
  `${stanza()}SOURCE ANY\nKEY_BASE64 AAAA\nHMAC_KEY_BASE64 AAAB\nOPEN_PORTS udp/53\n`,
  opening('TCP/22, udp/53'),
  opening('tcp/22,tcp/22'),
  opening('tcp/0022 ; a comment'),
  from('any'),
  from('10.0.0.1, 10.0.0.0/24,ANY'),
  from('10.0.0.77/255.255.0.0'),
  from('10.0.0.1 , 10.0.0.2 '),
  KEYS,
  stanza(' # an indented comment', ' ;another one'),
  `# a comment\n;another\n\r\n${stanza().replaceAll('\n', '\r\n')}`,
]

const BOTH_REFUSE = [
  '',
  '# a comment\n',
  'SOURCE ANY\n',
  'SOURCE ANY\nHMAC_KEY h\n',
  `source ANY\nKEY k\nHMAC_KEY h\n${OPENS}`,
  'SOURCE ANY\nKEY abc\nHMAC_KEY abc\n',
  'SOURCE ANY\nKEY abc\r\nHMAC_KEY abc;x\n',
  'SOURCE ANY\nKEY __CHANGEME__\nHMAC_KEY h\n',
  'SOURCE ANY\nKEY k\nHMAC_KEY_BASE64 __CHANGEME__\n',
  'SOURCE ANY\nKEY_BASE64 A\nHMAC_KEY h\n',
  'SOURCE ANY\nKEY_BASE64 AA-A\nHMAC_KEY h\n',
  `${stanza()}SOURCE ANY\n`,
  stanza('   '),
  stanza(' #indented'),
  stanza('FW_ACCESS_TIMEOUT'),
  stanza('FW_ACCESS_TIMEOUT ;5'),
  stanza('FW_ACCESS_TIMEOUT -1'),
  stanza('MAX_FW_TIMEOUT 8388609'),
  stanza('HMAC_DIGEST_TYPE sha'),
  stanza('ENCRYPTION_MODE PCBC'),
  stanza('ACCESS_EXPIRE 2030-01-01'),
  stanza('CMD_CYCLE_OPEN /bin/true'),
  stanza('FORCE_NAT 10.0.0.1 22'),
  stanza('%include /nowhere/at/all'),
  stanza('%include_folder /nowhere/at/all'),
  opening('tcp/65536'),
  opening('icmp/1'),
  opening('tcp/22,'),
  opening('tcp / 22'),
  opening('22'),
  opening('any'),
  from('10.0.0.0/0'),
  from('10.0.0.0/33'),
  from('::1'),
  from('10.0.0.1,'),
  from('10.0.0.1 10.0.0.2'),
  from('host.example'),
]

/** What fwknopd takes with a word in its log at most, and why it is refused here. */
const STRICTER: readonly (readonly [why: string, access: string])[] = [
  ['a name in lower case: fwknopd would open every port', `${KEYS}open_ports tcp/22\n`],
  ['an unknown name', stanza('BOGUS 1')],
  ['lines that belong to no stanza', `KEY a\n${stanza()}`],
  ['no HMAC', `SOURCE ANY\nKEY k\n${OPENS}`],
  ['a KEY with which fwknopd refuses every packet', `SOURCE ANY\nKEY ${'k'.repeat(33)}\nHMAC_KEY h\n${OPENS}`],
  ['an HMAC key with which fwknopd refuses every packet', `SOURCE ANY\nKEY k\nHMAC_KEY ${'h'.repeat(137)}\n${OPENS}`],
  ['a key with a blank behind it', `SOURCE ANY\nKEY abc ;x\nHMAC_KEY h\n${OPENS}`],
  ['a range: fwknopd takes its first port', opening('tcp/1-9')],
  ['ports without a comma: fwknopd takes the first', opening('tcp/22 tcp/80')],
  ['port 0', opening('tcp/0')],
  ['5x for 5', stanza('FW_ACCESS_TIMEOUT 5x')],
  ['true for no', stanza('REQUIRE_SOURCE_ADDRESS true')],
  ['a day that is none', stanza('ACCESS_EXPIRE 13/45/2030')],
  ['a year of two digits', stanza('ACCESS_EXPIRE 01/02/30')],
  ['a time that is none', stanza('ACCESS_EXPIRE_EPOCH soon')],
  ['an address of three numbers', from('10.0.0')],
  ['an octal address', from('010.0.0.1')],
  ['a mask with holes', from('10.0.0.1/255.0.255.0')],
  ['a colon within a name', stanza('FW_ACCESS_TIMEOUT:5 6')],
  ['base64 with more behind it', `SOURCE ANY\nKEY_BASE64 AAA=x\nHMAC_KEY h\n${OPENS}`],
  ['base64 that is cut off', `SOURCE ANY\nKEY_BASE64 AAAAA\nHMAC_KEY h\n${OPENS}`],
  ['commands', stanza('ENABLE_CMD_EXEC Y')],
  ['command cycles', stanza('CMD_CYCLE_OPEN /bin/true', 'CMD_CYCLE_CLOSE NONE')],
  ['NAT', stanza('DISABLE_DNAT Y')],
  ['GnuPG', stanza('GPG_DECRYPT_ID ABCD1234')],
  ['GnuPG as a mode', stanza('ENCRYPTION_MODE Asymmetric')],
]

const DAEMON_BOTH_ACCEPT = [
  '',
  'PCAP_FILTER udp port 5;\n',
  'MAX_SPA_PACKET_AGE 300\n',
  'BOGUS 1\n',
  'PCAP_INTF  eth0   ;\n',
]
const DAEMON_BOTH_REFUSE = [
  'MAX_SPA_PACKET_AGE 0;\n',
  'MAX_SPA_PACKET_AGE abc\n',
  'ENABLE_UDP_SERVER Y\nUDPSERV_PORT 0\n',
]
const DAEMON_STRICTER: readonly (readonly [why: string, daemon: string])[] = [
  ['a port that is none', 'UDPSERV_PORT 70000\n'],
  ['maybe for no', 'ENABLE_SPA_PACKET_AGING maybe\n'],
  ['packets that are good for ever', 'ENABLE_SPA_PACKET_AGING N\n'],
  ['NAT', 'ENABLE_IPT_FORWARDING Y\n'],
  ['a name without a value', 'PCAP_INTF\n'],
]

describe('fwknopd’s files, as fwknopd reads them', function () {
  this.timeout(20_000)
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'fwknop-config-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const write = (name: string, text: string) => {
    const file = join(folder, name)
    writeFileSync(file, text, { mode: 0o600 })
    return file
  }

  /** Whether fwknopd takes them. */
  function fwknopd(access: string, daemon: string): boolean {
    const words = ['-f', '-c', write('fwknopd.conf', daemon), '-a', write('access.conf', access), '-r', folder]
    const { status, error } = spawnSync('fwknopd', [...words, '--exit-parse-config'], { timeout: 10_000 })
    expect(error).to.equal(undefined)
    expect(status).to.be.oneOf([0, 1])
    return status === 0
  }

  /** The first reason why they are not taken here, or undefined. */
  function posternd(access: string, daemon: string): string | undefined {
    const config = `config-file = ${write('fwknopd.conf', daemon)}`
    const text = `[SPA]\nrealm = x\n[FWKNOP]\naccess-file = ${write('access.conf', access)}\n${config}\n`
    try {
      const { fwknop } = readServerConfig(text, 'posternd.conf', {}, filesFor(thisProcess('daemon')))
      expect(fwknop!.settings.stanzas.length).to.be.greaterThan(0)
      return undefined
    } catch (error) {
      expect(error).to.be.instanceOf(ConfigError)
      return (error as ConfigError).message.split('\n')[0]!
    }
  }

  const shown = (text: string) => JSON.stringify(text.replace(KEYS, '… '))
  for (const access of BOTH_ACCEPT)
    it(`are taken by both: ${shown(access)}`, () => {
      expect([fwknopd(access, ''), posternd(access, '')]).to.deep.equal([true, undefined])
    })
  for (const access of BOTH_REFUSE)
    it(`are refused by both: ${shown(access)}`, () => {
      expect(fwknopd(access, '')).to.equal(false)
      expect(posternd(access, '')).to.be.a('string')
    })
  for (const [why, access] of STRICTER)
    it(`are taken by fwknopd alone: ${why}`, () => {
      expect(fwknopd(access, '')).to.equal(true)
      expect(posternd(access, '')).to.match(/access\.conf/)
    })
  for (const daemon of DAEMON_BOTH_ACCEPT)
    it(`are taken by both: fwknopd.conf ${JSON.stringify(daemon)}`, () => {
      expect([fwknopd(stanza(), daemon), posternd(stanza(), daemon)]).to.deep.equal([true, undefined])
    })
  for (const daemon of DAEMON_BOTH_REFUSE)
    it(`are refused by both: fwknopd.conf ${JSON.stringify(daemon)}`, () => {
      expect(fwknopd(stanza(), daemon)).to.equal(false)
      expect(posternd(stanza(), daemon)).to.match(/fwknopd\.conf/)
    })
  for (const [why, daemon] of DAEMON_STRICTER)
    it(`are taken by fwknopd alone: ${why}`, () => {
      expect(fwknopd(stanza(), daemon)).to.equal(true)
      expect(posternd(stanza(), daemon)).to.match(/fwknopd\.conf/)
    })

  it('include three deep in both', () => {
    const path = (name: string) => join(folder, name)
    write('d', stanza())
    write('c', `${stanza()}%include ${path('d')}\n`)
    write('b', `${stanza()}%include ${path('c')}\n`)
    expect([fwknopd(`%include ${path('c')}\n`, ''), posternd(`%include ${path('c')}\n`, '')]).to.deep.equal([
      true,
      undefined,
    ])
    expect(fwknopd(`%include ${path('b')}\n`, '')).to.equal(false)
    expect(posternd(`%include ${path('b')}\n`, '')).to.match(/expected at most 3 files deep/)
  })
})
