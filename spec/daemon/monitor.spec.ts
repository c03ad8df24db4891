import { expect } from 'chai'
import { Monitor } from '../../lib/daemon/monitor.js'
import type { MonitorParts } from '../../lib/daemon/monitor-parts.js'
import { serverConfig } from '../firewall/support-config.js'

/** A monitor whose kernel and disk are as they should be, and a listener that said hello and nothing since. */
async function withSilentListener() {
  let monoMs = 1_000
  const gaveUp: string[] = []
  const asked: string[] = []
  const parts = {
    now: () => ({ wallMs: 1_800_000_000_000 + monoMs, monoMs }),
    log: { info: () => {}, warn: () => {}, error: () => {} },
    manager: { verify: () => 'intact' },
    horizon: { horizonMs: 0 },
    roller: { roll: async () => {} },
    sleep: { follow: () => 'unchanged', isAsleep: false },
    makeUpForSleep: () => {},
    send: ({ kind }: { kind: string }) => void asked.push(kind),
    echo: () => {},
    unreadBytes: () => 0,
    alive: () => {},
    giveUp: (why: string) => void gaveUp.push(why),
  } as unknown as MonitorParts
  const start = { untrustedBelowMs: 0, hearing: parts.now(), replayEntries: 100 }
  const monitor = new Monitor(parts, serverConfig({ resources: [] }), [], start)
  monitor.frames([{ kind: 'hello', nonce: new Uint8Array(16) }])
  const pass = async (seconds: number) => {
    for (; seconds > 0; seconds -= 2) {
      monoMs += 2_000
      await monitor.tick()
    }
  }
  return { monitor, pass, asked, gaveUp }
}

describe('a monitor whose listener hangs', () => {
  it('has both started again after 15 s', async () => {
    const { pass, gaveUp } = await withSilentListener()
    await pass(14)
    expect(gaveUp).to.deep.equal([])
    await pass(6)
    expect(gaveUp.join()).to.match(/^the listener has not answered for 15 s/)
  })

  it('does not while it ends: it would leave open what --close revokes', async () => {
    const { monitor, pass, asked, gaveUp } = await withSilentListener()
    await pass(14)
    expect(monitor.endListening()).to.equal(true)
    await pass(20)
    expect(gaveUp).to.deep.equal([])
    expect(asked.at(-1)).to.equal('end')
  })
})
