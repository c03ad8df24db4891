import { expect } from 'chai'
import { isSameStanza, stanzaMayOpen, stanzaOf } from '../../lib/firewall/fwknop-users.js'
import { judge, lengthOf } from '../../lib/firewall/policy.js'
import type { FwknopStanza } from '../../lib/gate/fwknop-stanza.js'
import { serverConfig, USER } from './support-config.js'

const FIRST = 0xf1000000
const [SSH, WEB, LISTED, OTHER] = [1, 2, 3, 4]
const tcp = (port: number) => ({ protocol: 'tcp', port }) as const
const udp = (port: number) => ({ protocol: 'udp', port }) as const
const bytes = (word: string) => new Uint8Array(Buffer.from(word))

function stanza(more: Partial<FwknopStanza> = {}): FwknopStanza {
  return {
    user: FIRST,
    title: 'access.conf:1',
    keys: { key: bytes('a key'), mode: 'cbc', hmac: { key: bytes('an HMAC key'), digest: 'sha256' } },
    restrictPorts: [],
    leaseSeconds: 30,
    maxSeconds: 300,
    requireAddress: false,
    ...more,
  }
}

function configOf(...stanzas: FwknopStanza[]) {
  return serverConfig({
    resources: [
      { id: SSH },
      { id: WEB, ports: [[80, 81]] },
      { id: LISTED, ports: [443], users: [USER] },
      { id: OTHER },
    ],
    fwknop: {
      settings: {
        stanzas,
        maxAgeMs: 120_000,
        resources: new Map([
          ['tcp/22', { resource: SSH, opens: [tcp(22)], onlyNamed: false }],
          ['tcp/80', { resource: WEB, opens: [tcp(80), tcp(81)], onlyNamed: false }],
          ['tcp/81', { resource: WEB, opens: [tcp(80), tcp(81)], onlyNamed: false }],
          ['tcp/443', { resource: LISTED, opens: [tcp(443)], onlyNamed: true }],
        ]),
      },
    },
  })
}

describe('a stanza of fwknop’s as a user', () => {
  const cases: readonly [string, Partial<FwknopStanza>, readonly number[]][] = [
    ['without OPEN_PORTS', {}, [SSH, WEB]],
    ['with one port', { openPorts: [tcp(22)] }, [SSH]],
    ['with that port of the other protocol', { openPorts: [udp(22)] }, []],
    ['with a part of what a resource opens', { openPorts: [tcp(22), tcp(80)] }, [SSH]],
    ['with all of it', { openPorts: [tcp(80), tcp(81)] }, [WEB]],
    ['with a port that others have a list of users for', { openPorts: [tcp(443)] }, [LISTED]],
    ['with a restricted part', { restrictPorts: [tcp(81)] }, [SSH]],
    ['with a port that is both', { openPorts: [tcp(22)], restrictPorts: [tcp(22)] }, []],
    ['with what is not guarded', { openPorts: [tcp(5)] }, []],
  ]
  for (const [name, more, may] of cases)
    it(`${name} may open ${may.length === 0 ? 'nothing' : may.join(' and ')}`, () => {
      const config = configOf(stanza(more))
      const opened = [SSH, WEB, LISTED, OTHER].filter((id) =>
        stanzaMayOpen(config.fwknop!.settings.stanzas[0]!, id, config),
      )
      expect(opened).to.deep.equal(may)
      const request = { operation: 'open', user: FIRST, address: '192.0.2.1', lifetimeMs: 1000 } as const
      const allowed = [SSH, WEB, LISTED, OTHER].filter(
        (resource) => 'resource' in judge({ ...request, resource }, config),
      )
      expect(allowed, 'the rule manager').to.deep.equal(may)
    })

  it('that is not there may open nothing, and takes nothing from users with keys', () => {
    const config = configOf(stanza())
    expect(stanzaOf(FIRST + 1, config)).to.equal(undefined)
    expect(stanzaOf(undefined, config)).to.equal(undefined)
    const request = { operation: 'open', address: '192.0.2.1', lifetimeMs: 1000 } as const
    expect(judge({ ...request, user: FIRST + 1, resource: SSH }, config)).to.include({ why: 'user' })
    expect(judge({ ...request, user: FIRST, resource: SSH }, serverConfig({ resources: [{ id: SSH }] }))).to.include({
      why: 'user',
    })
    expect(judge({ ...request, user: USER, resource: LISTED }, config)).to.have.property('resource')
  })

  it('gets a lease no longer than the longest that it gives, whatever is asked for', () => {
    const lengths = (own: Partial<FwknopStanza>, lifetimeMs: number) => {
      const config = configOf(stanza(own))
      const request = { operation: 'open', user: FIRST, resource: SSH, address: '192.0.2.1', lifetimeMs } as const
      return lengthOf(request, config.resources.get(SSH)!, config)
    }
    expect(lengths({}, 20_000)).to.equal(20_000)
    expect(lengths({}, 4_000_000)).to.equal(300_000)
    expect(lengths({ leaseSeconds: 400 }, 4_000_000)).to.equal(400_000)
    expect(lengths({ leaseSeconds: 8000, maxSeconds: 8000 }, 4_000_000), 'the resource’s own bound').to.equal(600_000)
    expect(lengths({ leaseSeconds: 1, maxSeconds: 2 }, 0), 'the resource’s own length').to.equal(2000)
  })

  it('is the same where only its line has changed', () => {
    expect(isSameStanza(stanza(), stanza({ title: 'access.conf:9' }))).to.equal(true)
    expect(isSameStanza(stanza(), undefined)).to.equal(false)
    const keys = stanza().keys
    for (const other of [
      { keys: { ...keys, key: bytes('another') } },
      { keys: { ...keys, hmac: { key: bytes('another'), digest: 'sha256' as const } } },
      { keys: { key: keys.key, mode: keys.mode } },
      { username: 'somebody' },
      { openPorts: [tcp(22)] },
      { sources: [{ address: '192.0.2.0', length: 24 }] },
      { requireAddress: true },
    ])
      expect(isSameStanza(stanza(), stanza(other)), JSON.stringify(other)).to.equal(false)
  })
})
