/**
 *     client: postern keepalive ──── server: posternd, a service on 22
 *       a knock ──▶ a lease of 2 s     a knock before it ends ──▶ prolonged     …
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Child } from '../support/child.js'
import { clientFile, serverFile } from '../support/installation.js'
import { HOSTS } from '../support/lab.js'
import type { Namespace } from '../support/namespace.js'
import { poll } from '../support/poll.js'
import { becomesOpen, becomesShut, begin, datagramsOf, LEASE_MS, type Story, withinLease } from '../support/story.js'

const MOST_RSS_KIB = 60 * 1024
/** A look that comes so late shows that the machine stood still. */
const STANDSTILL_MS = 500

/** `postern keepalive` on the client's side, until the laboratory ends. */
function keepalive({ client, postern }: Story, ...words: readonly string[]): Child {
  const argv = [join(postern.folder, 'bin/postern'), 'keepalive', '--config', postern.clientConfig, ...words]
  return client.spawn(argv)
}

const linesOf = (child: Child, pattern: RegExp) => child.lines.filter((line) => pattern.test(line))
const ip = (host: Namespace, words: string) => host.must(['ip', ...words.split(' ')])
const leasesOf = async ({ postern }: Story) => (await postern.status()).leases.map(({ address }) => address)

/**
 * Waits until the server has said so `count` times more, with the port open at each look. Only where the machine has just stood
 * still, but for the kernel that ends leases, it may be shut: then it has to open again, and is counted from there.
 */
async function staysOpen(story: Story, count: number): Promise<void> {
  const { client, server, daemon } = story
  const renewals = () => linesOf(daemon!, /prolonged/).length
  let from = renewals()
  let lookedMs = performance.now()
  let stoodStillMs = Number.NEGATIVE_INFINITY
  let met = 'open'
  const look = async () => {
    met = await client.connect(server.v4, 22)
    const nowMs = performance.now()
    if (nowMs - lookedMs > STANDSTILL_MS) stoodStillMs = nowMs
    lookedMs = nowMs
    if (met === 'open') return renewals() >= from + count
    from = renewals()
    return nowMs - stoodStillMs > LEASE_MS
  }
  await poll(`${count} renewals`, look, { within: 60_000, every: 50 })
  expect(met).to.equal('open')
}

describe('postern keepalive', () => {
  let story: Story
  beforeEach(async () => {
    story = await begin()
  })
  afterEach(() => story.close())

  it('keeps a lease open over many of its lengths, in little memory, and ends cleanly', async () => {
    const { client, server } = story
    const child = keepalive(story, server.v4, '22')
    await becomesOpen(client, server.v4)
    await staysOpen(story, 8)
    const [, peak] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))!
    expect(Number(peak)).to.be.lessThan(MOST_RSS_KIB)
    expect(await child.stop()).to.deep.equal({ status: 0, signal: null })
    expect(child.lines).to.deep.equal([`keeping port 22 of ${server.v4} open: a knock every 0.7–0.9 s`])
    await becomesShut(client, server.v4)
  })

  it('knocks again at once where the address changes, and opens for the new one', async () => {
    const { client, server } = story
    const { v4 } = HOSTS.server
    const child = keepalive(story, v4, '22', '--every', '10m')
    await story.daemon!.waitLine(/opened for .* for 198\.18\.1\.2,/)
    await ip(server, 'route add 198.18.1.3 dev to-client')
    await ip(client, `address delete ${client.v4} peer ${v4} dev to-server`)
    await ip(client, `address add 198.18.1.3 peer ${v4} dev to-server`)
    await story.daemon!.waitLine(/opened for .* for 198\.18\.1\.3,/)
    expect(linesOf(child, /^the network changed: knocking again$/)).to.have.length.within(1, 2)
  })

  it('goes on where the server is killed and started again', async () => {
    const { client, server, postern } = story
    keepalive(story, server.v4, '22')
    await becomesOpen(client, server.v4)
    await story.daemon!.kill9()
    story.daemon = await postern.start()
    await story.daemon.waitLine(/opened for|prolonged to/)
    await staysOpen(story, 3)
  })

  it('says once that there is no network, and knocks when it is back', async () => {
    const { client, server } = story
    const child = keepalive(story, server.v4, '22')
    await becomesOpen(client, server.v4)
    await ip(client, 'link set to-server down')
    await child.waitLine(/^postern: no network: waiting for it$/)
    await poll('the lease ends', async () => (await leasesOf(story)).length === 0)
    await ip(client, 'link set to-server up')
    await becomesOpen(client, server.v4)
    expect(linesOf(child, /no network/)).to.have.length(1)
    await child.waitLine(/^the network changed: knocking again$/)
    await staysOpen(story, 2)
  })

  it('reads its file again with SIGHUP: a good one counts, a bad one changes nothing', async () => {
    const { client, server, folder, postern } = story
    const resources = ['00000001 = port: 22 / timeout: 2', '00000002 = port: 80 / timeout: 2']
    const file = join(folder, 'hosts')
    writeFileSync(file, `# one\n${server.v4} 22\n`)
    await server.echo(80)
    postern.configure(serverFile(resources))
    postern.configureClient(clientFile(resources))
    story.daemon!.signal('SIGHUP')
    await poll('port 80 is guarded', async () => (await client.connect(server.v4, 80)) !== 'open')
    const child = keepalive(story, '--file', file)
    await becomesOpen(client, server.v4)
    writeFileSync(file, `${server.v4} 22 --liftime 5\n`)
    child.signal('SIGHUP')
    await child.waitLine(
      /read again, and nothing changed: .*hosts:1: "--liftime" is no option: did you mean --lifetime/,
    )
    await staysOpen(story, 2)
    writeFileSync(file, `${server.v4} 80\n`)
    child.signal('SIGHUP')
    await becomesOpen(client, server.v4, 80)
    await becomesShut(client, server.v4)
  })

  it('--once is what cron runs: an empty environment, one knock, not a word', async () => {
    const { client, server, postern } = story
    const capture = await server.capture()
    const environment = ['env', '-i', 'PATH=/usr/bin:/bin', `POSTERN_CONFIG=${postern.clientConfig}`]
    const words = [
      process.execPath,
      join(postern.folder, 'bin/postern'),
      'keepalive',
      '--once',
      '--lifetime',
      '30',
      server.v4,
      '22',
    ]
    expect(await client.run([...environment, ...words])).to.deep.equal({ status: 0, stdout: '', stderr: '' })
    await becomesOpen(client, server.v4)
    expect(datagramsOf(await capture.packets())).to.have.length(1)
  })

  it('--while-connected sends nothing without a connection', async () => {
    const { server, client, postern } = story
    const capture = await server.capture()
    const ran = await postern.postern(client, 'keepalive', '--once', '--while-connected', server.v4, '22')
    expect(ran).to.deep.equal({ status: 0, stdout: '', stderr: '' })
    expect(datagramsOf(await capture.packets())).to.deep.equal([])
  })

  it('--while-connected prolongs for as long as there is a connection', async () => {
    const { client, server, postern, daemon } = story
    // Nobody opens it again where it ended: longer leases than the machine may stand still, and renewed as often as others.
    const lifetime = ['--lifetime', '6']
    keepalive(story, '--while-connected', '--every', '1s', ...lifetime, server.v4, '22')
    await postern.knock(client, server.v4, '22', '--wait', ...lifetime)
    const program = `require('node:net').connect(22, '${server.v4}').on('error', () => {})`
    const connection = client.spawn([process.execPath, '-e', program])
    await daemon!.waitLine(/prolonged to/)
    await staysOpen(story, 4)
    await connection.kill9()
    await becomesShut(client, server.v4)
    expect(linesOf(daemon!, /opened for/), 'the knock by hand alone').to.have.length(1)
  })

  it('--while-connected opens nothing where there is a connection and no lease', async () => {
    const { client, server, postern, daemon } = story
    const held = await withinLease(async () => {
      await postern.knock(client, server.v4, '22', '--wait')
      return client.hold(server.v4, 22)
    })
    await becomesShut(client, server.v4)
    const ran = await postern.postern(client, 'keepalive', '--once', '--while-connected', server.v4, '22')
    expect(ran).to.deep.equal({ status: 0, stdout: '', stderr: '' })
    await daemon!.waitLine(/no such lease/)
    expect(await client.connect(server.v4, 22)).to.equal('refused')
    expect(await held.talk()).to.equal('answered')
  })
})

describe('postern keepalive by `auto`, at a server that hears nothing but letmein', () => {
  let story: Story
  before(async () => {
    const resources = ['00000001 = port: 22 / timeout: 2']
    story = await begin({ resources, daemon: false })
    const { postern } = story
    postern.configure(
      serverFile(resources, { more: '[LETMEIN]\nenabled = yes' }).replace('[SPA]', '[SPA]\nenabled = no'),
    )
    postern.configureClient(`${clientFile(resources)}[LETMEIN]\nenabled = yes\n`)
    story.daemon = await postern.start()
  })
  after(() => story.close())

  it('finds out what opens the port, and stays with that: no lease ends, and the service meets no more probes', async () => {
    const { client, server } = story
    const child = keepalive(story, server.v4, '22')
    await becomesOpen(client, server.v4)
    await staysOpen(story, 2)
    const capture = await server.capture()
    const before = linesOf(story.daemon!, /prolonged/).length
    await poll('5 renewals', () => linesOf(story.daemon!, /prolonged/).length >= before + 5)
    const packets = await capture.packets()
    expect(packets.filter(({ kind, outgoing }) => kind === 'tcp' && !outgoing)).to.deep.equal([])
    await staysOpen(story, 1)
    expect(linesOf(child, /letmein's exchange did: compare this machine's clock/)).to.have.length(1)
  })
})
