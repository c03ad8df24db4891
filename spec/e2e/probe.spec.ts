/**
 *     stranger ── postern probe ──▶ server: posternd, which hears all three protocols, behind firewalls of many styles
 *              ◀── what gives it away, and what mends that, which is then done
 */
import { chmodSync, chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { HAS_ACCOUNTS, MONITOR_ID } from '../support/accounts.js'
import { clientOf } from '../support/client.js'
import { accessFile } from '../support/fwknop-peer.js'
import { nameServer, SERVER_NAME } from '../support/hosts.js'
import { KNOCK_PORT, serverFile, USER } from '../support/installation.js'
import { poll } from '../support/poll.js'
import { becomesOpen, begin, type Story } from '../support/story.js'

const RESOURCES = ['00000001 = port: 22 / timeout: 30', '00000002 = port: 51820 / udp']

interface Found {
  readonly hidden: boolean
  readonly addresses: readonly {
    readonly differences: readonly {
      readonly sign: string
      readonly seen: {
        readonly family: number
        readonly protocol: string
        readonly port: number
        readonly look: string
      }
      readonly mend: { readonly command?: string; readonly setting?: string }
    }[]
  }[]
}

/** A host's own firewall: what it must accept, then these rules. */
function firewall(policy: 'accept' | 'drop', ...rules: readonly string[]): string {
  const accepted = [
    'iif lo accept',
    'ct state established,related accept',
    'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept',
    'tcp dport 22 accept',
    'udp dport 51820 accept',
  ]
  const body = [...accepted, ...rules].join('\n  ')
  return `table inet host { chain input {\n  type filter hook input priority 0; policy ${policy};\n  ${body}\n}\n}`
}

const REFUSE = ['meta l4proto tcp reject with tcp reset', 'reject with icmpx port-unreachable']

const HIDING = {
  'has no firewall': '',
  drops: firewall('drop'),
  'refuses all but the ports of its services': firewall('accept', ...REFUSE),
}

interface GivenAway {
  readonly ruleset: string
  /** What is found, for both families: sign, protocol, port. */
  readonly found: string[]
  /** Of the server's file. */
  readonly settings?: Readonly<Record<string, string>>
  readonly asked?: readonly string[]
  /** Something that the host itself runs. */
  readonly runs?: readonly number[]
  /** The rule, by a word in it, that is told to be removed. */
  readonly removed?: string
}

const GIVEN_AWAY: Readonly<Record<string, GivenAway>> = {
  'drops, but accepts the knock port': {
    ruleset: firewall('drop', 'udp dport 5800 accept'),
    found: ['let-through udp 5800'],
  },
  'drops, but rejects at the knock port': {
    ruleset: firewall('drop', 'udp dport 5800 reject'),
    found: ['let-through udp 5800'],
  },
  'drops, but accepts the knock port over TCP': {
    ruleset: firewall('drop', 'tcp dport 5800 accept'),
    found: ['let-through tcp 5800'],
  },
  'refuses, but drops at the knock port': {
    ruleset: firewall('accept', 'udp dport 5800 drop', ...REFUSE),
    found: ['swallowed udp 5800'],
  },
  'refuses as forbidden, but accepts the knock port': {
    ruleset: firewall('drop', 'udp dport 5800 accept', 'reject with icmpx admin-prohibited'),
    settings: { closed: 'drop' },
    found: ['other-answer udp 5800', 'guarded udp 51820', 'guarded tcp 22'],
    removed: 'admin-prohibited',
  },
  'refuses, where a program is bound to the knock port': {
    ruleset: '',
    runs: [KNOCK_PORT],
    found: ['swallowed udp 5800'],
  },
  'drops by policy and refuses by a last rule, so that closed = auto guesses wrong': {
    ruleset: firewall('drop', ...REFUSE),
    found: ['guarded udp 51820', 'guarded tcp 22'],
  },
  'drops by a last rule, so that closed = auto guesses wrong': {
    ruleset: firewall('accept', 'drop'),
    found: ['guarded udp 51820', 'guarded tcp 22'],
  },
  'refuses, and hears letmein of a user whom the stranger can guess': {
    ruleset: firewall('accept', ...REFUSE),
    asked: ['--user', USER],
    found: ['letmein udp 5800'],
  },
  'hears letmein over TCP': {
    ruleset: '',
    settings: { port: `${KNOCK_PORT} / tcp, udp` },
    found: ['open tcp 5800'],
  },
}

describe('a stranger who probes', function () {
  this.timeout(120_000)
  let story: Story
  let settings: Record<string, string>
  before(nameServer)
  afterEach(() => story.close())

  async function serve(ruleset: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
    story = await begin({ daemon: false })
    settings = { port: `${KNOCK_PORT} / udp`, closed: 'auto', enabled: 'yes', ...more }
    if (ruleset !== '') await story.server.must(['nft', '-f', '-'], { input: ruleset })
    await start()
  }

  async function start(): Promise<void> {
    const { postern, folder } = story
    const access = join(folder, 'access.conf')
    writeFileSync(access, accessFile('tcp/22'))
    chmodSync(access, HAS_ACCOUNTS ? 0o640 : 0o600)
    if (HAS_ACCOUNTS) chownSync(access, 0, MONITOR_ID)
    const sections = [
      `[LETMEIN]\nenabled = ${settings['enabled']}`,
      `[FWKNOP]\naccess-file = ${access}\nport = ${KNOCK_PORT}`,
      `[FIREWALL]\nclosed = ${settings['closed']}\n`,
    ]
    postern.configure(serverFile(RESOURCES, { port: settings['port']!, more: sections.join('\n') }))
    story.daemon = await postern.start()
    if (!settings['port']!.includes('tcp')) return
    const { client, server } = story
    await poll('the control port answers', async () => (await client.connect(server.v6, KNOCK_PORT)) === 'open')
  }

  /** Over both families. */
  async function probe(...more: readonly string[]): Promise<Found> {
    const argv = [clientOf(story.postern.folder), 'probe', SERVER_NAME, '22', '51820/udp', '--json', ...more]
    const { status, stdout, stderr } = await story.stranger.run(argv, { timeoutMs: 60_000 })
    expect(stdout, stderr).to.match(/^\{"host"/)
    const found = JSON.parse(stdout) as Found
    expect(status, stderr).to.equal(found.hidden ? 0 : 1)
    expect(found.addresses).to.have.length(2)
    return found
  }

  for (const [what, ruleset] of Object.entries(HIDING)) {
    it(`cannot tell knock port and guarded ports of a host that ${what}, which opens all the same`, async () => {
      await serve(ruleset)
      expect(signs(await probe())).to.deep.equal([[], []])
      const { client, server, postern } = story
      await postern.knock(client, server.v4, '22')
      await becomesOpen(client, server.v4)
    })
  }

  it('believes no silence where a kernel only limits its answers', async () => {
    await serve('')
    await story.server.sysctl({ 'net.ipv4.icmp_ratelimit': 1000, 'net.ipv6.icmp.ratelimit': 1000 })
    expect(signs(await probe())).to.deep.equal([[], []])
  })

  for (const [what, given] of Object.entries(GIVEN_AWAY)) {
    const { ruleset, found, asked = [], runs = [], removed } = given
    it(`finds what gives away a host that ${what}; what is proposed mends it`, async () => {
      await serve(ruleset, given.settings)
      const { server } = story
      for (const port of runs) await server.listen(port)

      const told = await probe(...asked)

      expect(signs(told)).to.deep.equal([found, found])
      await story.daemon!.stop()
      for (const { mend } of told.addresses.flatMap(({ differences }) => differences)) {
        if (mend.command !== undefined) await server.must(['sh', '-c', mend.command])
        const [, name, value] = /^\[[A-Z]+\] (\S+) = (.+)$/.exec(mend.setting ?? '') ?? []
        if (name !== undefined) settings[name] = value!
      }
      if (removed !== undefined) await removeRule(removed)
      await start()
      expect(signs(await probe(...asked)), 'mended').to.deep.equal([[], []])
    })
  }

  async function removeRule(word: string): Promise<void> {
    const listing = await story.server.must(['nft', '-a', 'list', 'chain', 'inet', 'host', 'input'])
    const [, handle] = new RegExp(`${word}.*# handle (\\d+)`).exec(listing)!
    await story.server.must(['nft', 'delete', 'rule', 'inet', 'host', 'input', 'handle', handle!])
  }
})

/** For each family: sign, protocol and port. */
function signs({ addresses }: Found): string[][] {
  return addresses.map(({ differences }) =>
    differences.map(({ sign, seen }) => `${sign} ${seen.protocol} ${seen.port}`),
  )
}
