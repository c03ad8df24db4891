/** The rules that docker itself made, on a Debian 12 (docker 20.10) and a Debian 13 (26.1), for `docker run -p 8080:80`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ofContainers } from '../../../lib/cli/daemon/doctor/containers.js'
import { ofHost } from '../../../lib/cli/daemon/doctor/host.js'
import type { ServerConfig } from '../../../lib/config/types.js'
import { type Chain, type Json, readListing } from '../../../lib/firewall/host/listing.js'
import { publishedIn } from '../../../lib/firewall/host/published.js'
import { serverConfig } from '../../firewall/support-config.js'
import { ROOT } from '../program.js'

const read = (name: string) => readFileSync(join(ROOT, 'spec/firewall/host/docker', name), 'utf8')
const WEB = { id: 0x80, name: 'web', ports: [8080] }
const guard = (firewall: Partial<ServerConfig['firewall']> = {}, ports = [8080]) =>
  serverConfig({ resources: [{ ...WEB, ports }], firewall })
const chainMode = guard({ mode: 'chain', chain: { family: 'inet', table: 'filter', input: 'postern' } })
const LEGACY = read('docker-20.iptables')

/** A rule of table ip, put in front of those that its chain has; the chain is made where it is not there. */
function insert(chains: readonly Chain[], chain: string, base: Chain['base'], ...statements: Json[]): Chain[] {
  const rule = { chain, handle: 99, statements }
  const there = chains.find(({ family, name }) => family === 'ip' && name === chain)
  if (there === undefined) return [...chains, { family: 'ip', table: 'raw', name: chain, rules: [rule], base: base! }]
  return chains.map((one) => (one === there ? { ...one, rules: [rule, ...one.rules] } : one))
}

for (const version of ['docker-20', 'docker-26']) {
  const chains = readListing(read(`${version}.json`))
  const printed = { nft: read(`${version}.nft`), legacy: '' }

  describe(`the doctor, of the rules of ${version}`, () => {
    it('knows which container a port is', () => {
      expect(publishedIn(printed.nft)).to.deep.equal([
        { protocol: 'tcp', port: 8080, address: '172.17.0.2', containerPort: 80, device: 'docker0' },
      ])
    })

    it('finds that a neighbour gets past the guard by the container’s own address, and what shuts that', () => {
      const found = ofContainers(guard(), chains, printed)
      expect(found.map(({ code }) => code)).to.deep.equal(['around-the-guard'])
      expect(found[0]!.sentence)
        .to.include('TCP port 8080 (resource web (00000080)) is a container’s')
        .and.include('a machine of this host’s own networks that routes to 172.17.0.2 gets in without a lease')
      expect(found[0]!.mend).to.match(/^iptables -t raw -I PREROUTING -d 172\.17\.0\.2 ! -i docker0 -j DROP /)
      expect(ofHost(guard(), chains), 'docker stands in nobody’s way').to.deep.equal([])
    })

    it('finds nothing where that is mended, or a container’s port is guarded by its own number', () => {
      const raw = { type: 'filter', hook: 'prerouting', priority: -300, drops: false }
      const to = { match: { op: '==', left: { payload: { protocol: 'ip', field: 'daddr' } }, right: '172.17.0.2' } }
      const elsewhere = { match: { op: '!=', left: { meta: { key: 'iifname' } }, right: 'docker0' } }
      const mended = insert(chains, 'PREROUTING-raw', raw, to, elsewhere, { drop: null })
      expect(ofContainers(guard(), mended, printed)).to.deep.equal([])
      const forward = guard({ guardForward: ['172.17.0.0/16'] }, [80, 8080])
      expect(ofContainers(forward, chains, printed)).to.deep.equal([])
      expect(ofContainers(guard({ guardForward: ['172.17.0.0/16'] }), chains, printed)).to.have.length(1)
    })

    it('claims nothing where the administrator’s own rule in DOCKER-USER may drop it, or the port is not guarded', () => {
      const from = { match: { op: '!=', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '10.0.0.1' } }
      const watched = insert(chains, 'DOCKER-USER', undefined, from, { drop: null })
      expect(ofContainers(guard(), watched, printed)).to.deep.equal([])
      expect(ofContainers(guard({}, [8081]), chains, printed)).to.deep.equal([])
    })

    it('finds in chain mode that the port is open to everybody', () => {
      expect(ofHost(chainMode, chains).map(({ code }) => code)).to.deep.equal(['forwarded'])
    })
  })
}

describe('the doctor, of docker’s rules by iptables-legacy, which nft does not list', () => {
  it('knows which container a port is', () => {
    expect(publishedIn(LEGACY)).to.deep.equal(publishedIn(read('docker-20.nft')))
  })

  it('finds in chain mode that the port is open to everybody, and claims nothing of a guard', () => {
    const found = ofContainers(chainMode, [], { nft: '', legacy: LEGACY })
    expect(found.map(({ code }) => code)).to.deep.equal(['forwarded'])
    expect(found[0]!.sentence).to.include('ahead of chain postern, so it is open to everybody')
    expect(ofContainers(guard(), [], { nft: '', legacy: LEGACY })).to.deep.equal([])
  })
})
