import { expect } from 'chai'
import { isGlobal, isNameable, ownAddress } from '../../lib/client/own-address.js'

describe("this machine's own address", () => {
  it('towards an address is what the kernel would send from, and nothing is sent to find it', async () => {
    expect(await ownAddress({ address: '127.0.0.1', family: 4 })).to.equal('127.0.0.1')
    expect(await ownAddress({ address: '::1', family: 6 })).to.equal('::1')
  })

  it('is none where there is no way, and nothing is thrown', async () => {
    expect(await ownAddress({ address: 'fe80::1%nowhere', family: 6 })).to.equal(undefined)
  })

  for (const [address, global] of [
    ['8.8.8.8', true],
    ['9.255.255.255', true],
    ['10.0.0.1', false],
    ['11.0.0.0', true],
    ['100.63.255.255', true],
    ['100.64.0.1', false],
    ['100.127.255.255', false],
    ['100.128.0.0', true],
    ['127.0.0.1', false],
    ['169.254.1.1', false],
    ['172.15.255.255', true],
    ['172.16.0.1', false],
    ['172.31.255.255', false],
    ['172.32.0.0', true],
    ['192.0.0.4', false],
    ['192.0.2.1', false],
    ['192.168.1.50', false],
    ['198.18.0.1', false],
    ['198.20.0.1', true],
    ['203.0.113.9', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['0.0.0.0', false],
    ['2a00:1450:4001:82b::200e', true],
    ['2000::1', true],
    ['3fff:ffff::1', true],
    ['4000::1', false],
    ['::1', false],
    ['fe80::1', false],
    ['fd18::1', false],
    ['fc00::1', false],
    ['2001:db8::1', false],
    ['2001:0:1::1', false],
    ['2001:200::1', true],
    ['2002:c000:204::1', false],
    ['64:ff9b::808:808', false],
  ] as const) {
    it(`${address} is ${global ? '' : 'not '}what everybody sees`, () => expect(isGlobal(address)).to.equal(global))
  }

  it('is not named through a translator of IPv6 to IPv4, behind which another one is seen', () => {
    expect(isNameable('2a00:1450::1', { address: '2a00:1::1', family: 6 })).to.equal(true)
    expect(isNameable('2a00:1450::1', { address: '64:ff9b::c633:6401', family: 6 })).to.equal(false)
  })
})
