/**
 * The files of conf/ are what they say they are.
 */

import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { readClientConfig } from '../../lib/config/client.js'
import { readServerConfig } from '../../lib/config/server.js'
import { ACCESS, DAEMON, inMemory, STANZA } from './fwknop-files.js'

/** What the sample refers to. */
const FILES = inMemory({ [ACCESS]: `${STANZA}OPEN_PORTS tcp/8443\n`, [DAEMON]: '# all defaults\n' })
const KEY = '9F3C51D2A7B84E06F1C29D7B3A58E4601C7FD2B9856E43A0D1F7285B9CE63A40'
const conf = (name: string) => readFileSync(new URL(`../../conf/${name}`, import.meta.url), 'utf8')

/** With every option and key that is only a comment. Prose and the table of parts stay comments. */
function uncommented(text: string): string {
  return text
    .replaceAll(/^# (00000022 = .*(?:\n# {2,}\S.*)*)/gm, (block) => block.replaceAll(/^# /gm, ''))
    .replaceAll(/^# ([a-z-]+ = .*)$/gm, '$1')
    .replace(/^# (00000001 = )64 hex digits$/m, `$1${KEY}`)
}

describe('the samples in conf/', () => {
  it('posternd.conf is read with nothing to be said but that it has no key yet', () => {
    const config = readServerConfig(conf('posternd.conf'), 'posternd.conf')
    expect(config.warnings).to.deep.equal(['posternd.conf: [KEYS] has no user: nobody can knock'])
    expect(config.letmein.ports).to.deep.equal({ udp: [5800], tcp: [] })
    expect([...config.resources.keys()]).to.deep.equal([1])
  })

  it('posternd.conf with all its comments on is read too, and shows the defaults', () => {
    const text = uncommented(conf('posternd.conf'))
    const plain = readServerConfig(conf('posternd.conf'), 'posternd.conf')
    const config = readServerConfig(text, 'posternd.conf', {}, FILES)
    expect(config.fwknop).to.deep.include({ files: [ACCESS, DAEMON], ports: [62201] })
    expect(config.users.size).to.equal(1)
    expect(config.resources.get(0x22)).to.deep.include({
      name: 'ssh',
      instant: true,
      timeoutMs: 30_000,
      maxTimeoutMs: 3_600_000,
    })
    expect(config.spa).to.deep.equal(plain.spa)
    expect(config.limits).to.deep.equal(plain.limits)
    expect({ ...config.firewall, trust: [], guardForward: [] }).to.deep.equal(plain.firewall)
    expect(config.firewall.trust).to.deep.equal(['wg0'])
  })

  it('postern.conf is read, and fits posternd.conf', () => {
    const client = readClientConfig(uncommented(conf('postern.conf')), 'postern.conf')
    const server = readServerConfig(uncommented(conf('posternd.conf')), 'posternd.conf', {}, FILES)
    expect(client.warnings).to.deep.equal([])
    expect(client.realm).to.equal(server.spa.realm)
    expect(client.users).to.deep.equal(server.users)
    expect([client.port.udp]).to.deep.equal(server.spa.ports)
    for (const [id, { target, instant, name }] of client.resources) {
      expect(server.resources.get(id)).to.include({ instant, name })
      const ports = (resource: typeof target) => (resource.kind === 'ports' ? resource.ports[0] : undefined)
      expect(ports(server.resources.get(id)!.target)).to.deep.equal(ports(target))
    }
    expect(readClientConfig(conf('postern.conf'), 'postern.conf').warnings).to.deep.equal([])
  })

  it('the unit bounds the daemon to what it needs', () => {
    const unit = conf('systemd/postern.service')
    for (const row of [
      'Type=notify',
      'NotifyAccess=all',
      'RuntimeDirectoryPreserve=yes',
      'LimitCORE=0',
      'NoNewPrivileges=yes',
    ])
      expect(unit).to.include(`\n${row}\n`)
    expect(unit).to.match(/^CapabilityBoundingSet=CAP_NET_ADMIN CAP_SETUID CAP_SETGID CAP_SETPCAP CAP_KILL$/m)
    expect(conf('systemd/postern-gate.service')).to.match(/^Before=sysinit\.target network-pre\.target /m)
  })
})
