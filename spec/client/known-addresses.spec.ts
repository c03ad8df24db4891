import { expect } from 'chai'
import { KnownAddresses } from '../../lib/client/known-addresses.js'
import type { Lookup } from '../../lib/client/resolve.js'

const failing =
  (code: string): Lookup =>
  async () => {
    throw Object.assign(new Error(code), { code })
  }
const finding =
  (...addresses: string[]): Lookup =>
  async () =>
    addresses
const codeOf = (promise: Promise<unknown>) => promise.catch((error: NodeJS.ErrnoException) => error.code)

describe('the addresses that a host is known at', () => {
  it('stand in for a resolver that is away', async () => {
    const known = new KnownAddresses('gate')
    await known.remembering(finding('192.0.2.1', '192.0.2.2'))('gate', 4)
    expect(await known.remembering(failing('EAI_AGAIN'))('gate', 4)).to.deep.equal(['192.0.2.1', '192.0.2.2'])
  })

  it('do not stand in where the resolver says that there is none any more', async () => {
    const known = new KnownAddresses('gate')
    await known.remembering(finding('192.0.2.1'))('gate', 4)
    expect(await codeOf(known.remembering(failing('ENOTFOUND'))('gate', 4))).to.equal('ENOTFOUND')
    expect(await codeOf(known.remembering(failing('EAI_AGAIN'))('gate', 4))).to.equal('EAI_AGAIN')
  })

  it('are not those of the other family', async () => {
    const known = new KnownAddresses('gate')
    await known.remembering(finding('192.0.2.1'))('gate', 4)
    expect(await codeOf(known.remembering(failing('EAI_AGAIN'))('gate', 6))).to.equal('EAI_AGAIN')
  })

  it('are those of late, too, where a name gives others each time; not without bound', async () => {
    const known = new KnownAddresses('gate')
    for (let i = 0; i < 100; i++) await known.remembering(finding(`192.0.2.${i}`))('gate', 4)
    expect(known.firsts).to.deep.equal([{ address: '192.0.2.99', family: 4 }])
    expect(known.all).to.have.length(64)
    expect(known.all[1]).to.deep.equal({ address: '192.0.2.98', family: 4 })
  })

  it('are what a literal says, from the beginning', () => {
    const known = new KnownAddresses('[fe80::1%eth0]')
    expect(known.firsts).to.deep.equal([{ address: 'fe80::1%eth0', family: 6 }])
    expect(known.all).to.deep.equal(known.firsts)
  })
})
