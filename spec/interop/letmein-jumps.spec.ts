/**
 * Jump resources: while the lease lives, packets of a hook go on to the administrator's own chain. The same with letmeind and
 * with posternd, of the same file.
 *
 *     client ───── server: letmeind or posternd; drops what comes in, goes through and goes out new ───── stranger
 *     22                                          22                                                  22
 */
import { expect } from 'chai'
import { Installation } from '../support/installation.js'
import { HOSTS, type Lab, openLab } from '../support/lab.js'
import { LetmeinClient, LetmeinServer, letmeindFile, letmeinFile } from '../support/letmein-peer.js'

const RULESET = `table inet filter {
  chain LETMEIN-INPUT { }
  chain LETMEIN-FORWARD { }
  chain LETMEIN-OUTPUT { }
  chain TO-SSH { tcp dport 22 accept; }
  chain INPUT {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
    meta l4proto ipv6-icmp accept
    jump LETMEIN-INPUT
  }
  chain FORWARD {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    jump LETMEIN-FORWARD
  }
  chain OUTPUT {
    type filter hook output priority 0; policy accept;
    jump LETMEIN-OUTPUT
    tcp dport 22 drop
  }
}
`
/** Each with what is open while its lease lives. `in`, `through` and `out` are as the server sees it. */
const RESOURCES = {
  'jump / input: TO-SSH / input-match: saddr': ['client in'],
  'jump / input: TO-SSH': ['client in', 'stranger in'],
  'jump / forward: TO-SSH / forward-match: saddr': ['client through'],
  'jump / forward: TO-SSH': ['client through', 'stranger through'],
  // What goes out comes from the server itself.
  'jump / output: TO-SSH / output-match: saddr': [],
  'jump / output: TO-SSH': ['server out'],
  'jump / input: TO-SSH / forward: TO-SSH / output: TO-SSH / input-match: saddr / forward-match: saddr / users: A': [
    'client in',
    'client through',
    'server out',
  ],
} as const

const lines = Object.keys(RESOURCES).map((resource, i) => `${i + 1} = ${resource}`)
const nftables = ['chain-forward = LETMEIN-FORWARD', 'chain-output = LETMEIN-OUTPUT']

const SERVERS = {
  letmeind: (lab: Lab, config: string) => LetmeinServer.start(lab, { config }),
  posternd: async (lab: Lab, config: string) => {
    const postern = new Installation(lab)
    postern.configure(config)
    await postern.trustClock()
    return postern.start()
  },
}

for (const [server, start] of Object.entries(SERVERS)) {
  describe(`the letmein client at ${server}`, () => {
    let lab: Lab
    let letmein: LetmeinClient
    before(async () => {
      lab = await openLab()
      await lab.server.sysctl({ 'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1 })
      for (const [from, to] of [
        ['client', 'stranger'],
        ['stranger', 'client'],
      ] as const) {
        await lab[from].must(['ip', 'route', 'add', HOSTS[to].v4, 'via', HOSTS.server.v4])
        await lab[from].must(['ip', '-6', 'route', 'add', HOSTS[to].v6, 'via', HOSTS.server.v6])
      }
      for (const host of ['client', 'server', 'stranger'] as const) await lab[host].echo(22)
      await lab.server.must(['nft', '-f', '-'], { input: RULESET })
      await start(lab, letmeindFile(lines, { nftables }))
      letmein = new LetmeinClient(lab, letmeinFile(lines))
    })
    after(() => lab.close())

    async function open(family: 'v4' | 'v6'): Promise<string[]> {
      const { client, server: host, stranger } = lab
      const ways = {
        'client in': client.connect(host[family], 22),
        'stranger in': stranger.connect(host[family], 22),
        'client through': client.connect(stranger[family], 22),
        'stranger through': stranger.connect(client[family], 22),
        'server out': host.connect(client[family], 22),
      }
      const outcomes = await Promise.all(Object.values(ways))
      return Object.keys(ways).filter((_, i) => outcomes[i] === 'open')
    }

    Object.entries(RESOURCES).forEach(([resource, opened], i) => {
      it(`opens with "${resource}" ${opened.join(', ') || 'nothing'}, and revokes it`, async () => {
        const id = String(i + 1)
        for (const family of ['v4', 'v6'] as const) {
          expect(await open(family)).to.deep.equal([])
          await letmein.must(lab.client, 'knock', lab.server[family], '-r', id)
          expect(await open(family), family).to.deep.equal(opened)
          await letmein.must(lab.client, 'revoke', lab.server[family], '-r', id)
        }
        expect(await open('v6')).to.deep.equal([])
      })
    })
  })
}
