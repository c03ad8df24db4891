/**
 *     server: posternd check --stealth ── a copy of its rules ◀── a stranger, both in namespaces of their own
 *              what is proposed is done on the server itself, and then nothing stands out
 */
import { join } from 'node:path'
import { expect } from 'chai'
import { serverFile } from '../support/installation.js'
import { begin, type Story } from '../support/story.js'

const firewall = (policy: string, ...rules: readonly string[]) => `table inet host { chain input {
  type filter hook input priority 0; policy ${policy};
  iif lo accept
  iifname "to-client" tcp dport 22 accept
  icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
  ${rules.join('\n  ')}
}
}`

describe('posternd check --stealth', function () {
  this.timeout(120_000)
  let story: Story
  afterEach(() => story.close())

  async function host(ruleset: string, more = ''): Promise<void> {
    story = await begin({ daemon: false })
    if (ruleset !== '') await story.server.must(['nft', '-f', '-'], { input: ruleset })
    configure(more)
  }

  function configure(more: string): void {
    story.postern.configure(serverFile(['00000001 = port: 22'], { more }))
  }

  /** Its exit code and words; nothing of the host has changed, and nothing is left behind. */
  async function check(): Promise<{ status: number | undefined; words: string }> {
    const { server, postern } = story
    const state = async () => [
      await server.must(['nft', 'list', 'ruleset']),
      await server.must(['ip', 'address']),
      await server.must(['ip', 'netns', 'list']),
    ]
    const argv = [join(postern.folder, 'bin/posternd'), 'check', '--stealth', '--config', postern.serverConfig]
    const before = await state()
    const { status, stdout, stderr } = await server.run(argv, { timeoutMs: 60_000 })
    expect(await state()).to.deep.equal(before)
    return { status, words: stdout + stderr }
  }

  it('tells where letmein is heard over TCP alone, which no rule hides', async () => {
    await host('')
    story.postern.configure(
      serverFile(['00000001 = port: 22'], { port: '5800 / tcp', more: '[LETMEIN]\nenabled = yes\n' }),
    )
    const { status, words } = await check()
    expect(status, words).to.equal(1)
    expect(words).to.match(/letmein over TCP answers every SYN at port 5800/)
  })

  for (const [what, ruleset] of Object.entries({
    'has no firewall': '',
    drops: firewall('drop'),
    'rejects by a last rule': firewall('accept', 'meta l4proto tcp reject with tcp reset', 'reject'),
  }))
    it(`finds nothing at a host that ${what}, and changes nothing of it`, async () => {
      await host(ruleset)
      const { status, words } = await check()
      expect(status, words).to.equal(0)
      expect(words)
        .to.match(/198\.18\.0\.1: .* cannot be told/)
        .and.to.match(/fd18::1: .* cannot be told/)
    })

  it('names the rule that accepts the knock port, among others', async () => {
    await host(firewall('drop', 'udp dport 58000 accept', 'tcp dport 5800 drop', 'udp dport { 53, 5800 } accept'))
    const { status, words } = await check()
    expect(status, words).to.equal(1)
    expect(words)
      .to.match(/accepts UDP 5800/)
      .and.to.match(/with that done nothing stands out/)
    const commands = [...new Set(words.match(/nft delete rule .*/g))]
    expect(commands).to.have.length(1)
    await story.server.must(commands[0]!.split(' '))
    expect((await check()).status).to.equal(0)
    expect(await story.server.must(['nft', 'list', 'ruleset'])).to.match(/udp dport 58000/)
  })

  it('says which setting guarded ports need where the host rejects though its policy is to drop', async () => {
    await host(firewall('drop', 'meta l4proto tcp reject with tcp reset', 'reject'))
    const { status, words } = await check()
    expect(status, words).to.equal(1)
    expect(words)
      .to.match(/\[FIREWALL\] closed = reject/)
      .and.to.match(/with that done nothing stands out/)
    configure('[FIREWALL]\nclosed = reject\n')
    expect((await check()).status).to.equal(0)
  })

  it('says that letmein shows on a host that refuses, to who knows a user', async () => {
    await host('', '[LETMEIN]\nenabled = yes\n')
    const { status, words } = await check()
    expect(status, words).to.equal(1)
    expect(words)
      .to.match(/letmein is heard here/)
      .and.to.match(/with that done nothing stands out/)
    configure('[LETMEIN]\nenabled = no\n')
    expect((await check()).status).to.equal(0)
  })

  it('says that a program is bound to the knock port', async () => {
    await host('')
    await story.server.listen(5800)
    const { status, words } = await check()
    expect(status, words).to.equal(1)
    expect(words).to.match(/a program is bound to UDP 5800/)
  })

  it('has the devices that rules name', async () => {
    await host('table netdev outer { chain in { type filter hook ingress device "to-stranger" priority 0; }; }')
    const { status, words } = await check()
    expect(status, words).to.equal(0)
  })
})
