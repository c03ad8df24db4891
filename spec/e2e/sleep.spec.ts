/**
 *     client ── knock, recorded ──▶ server: posternd sleep, wake: the kernel has no token meanwhile
 *                                     daemon runs | stands still | is dead
 *
 * The suspend itself is no part of it: a namespace cannot sleep. What lets a recorded knock in after one is what the kernel has.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { Knocker } from '../../lib/client/knock.js'
import { SLOT_MS } from '../../lib/wire/spa-keys.js'
import { KEY, KNOCK_PORT, REALM, serverFile, USER } from '../support/installation.js'
import type { Outcome } from '../support/namespace.js'
import { poll } from '../support/poll.js'
import { begin, type Story } from '../support/story.js'

const RESOURCE = '00000001 = port: 22 / timeout: 30 / instant: yes'
const WORD = /the machine goes to sleep: no instant token is in the kernel until it is awake/

/** Made by a client whose clock is one slot ahead: a first start puts no tokens of the slot that runs into the kernel. */
function instantDatagram(): Uint8Array {
  const identity = { user: Number.parseInt(USER, 16), key: Buffer.from(KEY, 'hex'), realm: REALM }
  const wish = { operation: 'open', resource: 1, lifetimeSeconds: 0, instant: 'alone' } as const
  return new Knocker(identity, (bytes) => randomBytes(bytes)).datagrams(wish, Date.now() + SLOT_MS)[0]!
}

describe('before the machine sleeps, instant tokens go out of the kernel', () => {
  let story: Story
  beforeEach(async () => {
    story = await begin({ resources: [RESOURCE] })
    await poll('tokens are in', hasTokens)
  })
  afterEach(() => story.close())

  async function hasTokens(): Promise<boolean> {
    const listed = await story.server.must(['nft', 'list', 'set', 'inet', 'postern', 'inst_00000001'])
    return listed.includes('elements')
  }
  async function posternd(...words: readonly string[]): Promise<Outcome> {
    const outcome = await story.postern.posternd(...words, ...story.postern.at)
    expect(outcome.status, outcome.stderr).to.equal(0)
    return outcome
  }
  function everyProcess(signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of [story.daemon!.pid, ...story.daemon!.descendants()]) process.kill(pid, signal)
  }
  /** Somebody else brings it first, and finds the port shut. */
  async function opensNothing(recorded: Uint8Array): Promise<void> {
    const { stranger, server } = story
    await stranger.send(server.v4, KNOCK_PORT, [recorded])
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
  }

  it('where the daemon runs, which then hears anew', async () => {
    const { postern, daemon } = story
    const recorded = instantDatagram()
    expect((await posternd('sleep')).stderr).to.equal('')
    expect(await hasTokens()).to.equal(false)
    await daemon!.waitLine(WORD)
    expect((await posternd('status')).stdout).to.include('no instant knock opens until it is said to be awake')
    expect((await posternd('status', '--json')).stdout).to.include('"isAsleep":true')
    await opensNothing(recorded)

    const { hearingMs } = JSON.parse((await posternd('status', '--json')).stdout)
    const { status, stderr } = await postern.posternd('wake', ...postern.at.slice(2))
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    await daemon!.waitLine(/the machine is awake: knocks made before now are refused/)
    const after = JSON.parse((await posternd('status', '--json')).stdout)
    expect(after.hearingMs).to.be.above(hearingMs)
    expect(after).to.not.have.property('isAsleep')
    await opensNothing(recorded)
  })

  it('where it stands still: without it, and it learns of it when it goes on', async () => {
    const recorded = instantDatagram()
    everyProcess('SIGSTOP')
    try {
      const { stderr } = await posternd('sleep')
      expect(stderr).to.match(
        /control\.sock: no answer within 5 s: instant tokens were taken out of the kernel without the daemon/,
      )
      expect(await hasTokens()).to.equal(false)
      await opensNothing(recorded)
    } finally {
      everyProcess('SIGCONT')
    }
    await story.daemon!.waitLine(WORD)
    expect(await hasTokens()).to.equal(false)
  })

  it('where it is dead, whatever became of its file; one that is started meanwhile puts none in', async () => {
    const { postern, daemon } = story
    const recorded = instantDatagram()
    await daemon!.kill9()
    expect(await hasTokens(), 'the kernel goes on').to.equal(true)
    postern.configure('nonsense')
    const { status, stderr } = await postern.posternd('sleep', ...postern.at)
    expect(stderr).to.include('no posternd runs here: instant tokens were taken out of the kernel without the daemon')
    expect(stderr).to.include('"nonsense": expected NAME = VALUE')
    expect(status).to.equal(78)
    expect(await hasTokens()).to.equal(false)
    await opensNothing(recorded)

    postern.configure(serverFile([RESOURCE]))
    story.daemon = await postern.start()
    await story.daemon.waitLine(WORD)
    expect(await hasTokens()).to.equal(false)
  })

  it('where the mark of it cannot be written, too', async () => {
    const { postern } = story
    const folder = postern.at.at(-1)!
    mkdirSync(join(folder, 'asleep'))
    const { status, stderr } = await postern.posternd('sleep', ...postern.at)
    expect(stderr).to.match(
      /asleep: cannot be written: .*: instant tokens were taken out of the kernel without the daemon/,
    )
    expect(status).to.equal(69)
    expect(await hasTokens()).to.equal(false)
    rmdirSync(join(folder, 'asleep'))
  })

  it('with nothing to do where nothing of postern is', async () => {
    const { postern } = story
    await posternd('down')
    expect((await posternd('sleep')).stderr).to.include('no posternd runs here')
    const folder = postern.at.at(-1)!
    expect(readdirSync(folder)).to.include('asleep')
    const { status } = await postern.posternd('wake', '--run-dir', folder)
    expect(status).to.equal(0)
    expect(readdirSync(folder)).to.not.include('asleep')
  })
})
