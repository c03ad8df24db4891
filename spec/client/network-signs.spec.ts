import { expect } from 'chai'
import { jumpWatch, networkPrint } from '../../lib/client/network-signs.js'

const ROUTES = [
  'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
  'wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0',
  'wlan0\t0001A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0',
].join('\n')
const at = (address: string, mac = '02:00:00:00:00:01', internal = false) => ({ address, mac, internal })
const home = { lo: [at('127.0.0.1', '00:00:00:00:00:00', true)], wlan0: [at('192.168.1.50'), at('fe80::1')] }

describe('the print of a network', () => {
  const before = networkPrint(home, ROUTES)

  it('is the same as long as nothing changed, whatever order things come in', () => {
    expect(networkPrint({ wlan0: [...home.wlan0].reverse(), lo: home.lo }, ROUTES)).to.equal(before)
    expect(before).to.not.equal('')
  })

  it('is the same when a container comes and has nothing but a link-local address', () => {
    expect(networkPrint({ ...home, veth1: [at('fe80::2', '02:00:00:00:00:02')] }, ROUTES)).to.equal(before)
  })

  for (const [what, interfaces, routes] of [
    ['another address', { wlan0: [at('192.168.1.51')] }, ROUTES],
    ['a further address', { wlan0: [...home.wlan0, at('2a00::1')] }, ROUTES],
    ['the same address at another interface', { eth0: home.wlan0 }, ROUTES],
    ['another gateway', home, ROUTES.replace('0101A8C0', 'FE01A8C0')],
    ['no gateway', home, ''],
  ] as const) {
    it(`is another one with ${what}`, () => expect(networkPrint(interfaces, routes)).to.not.equal(before))
  }

  it('is empty where nobody else can be reached', () => {
    expect(networkPrint({ lo: home.lo, eth0: [at('fe80::1'), at('169.254.3.4')] }, ROUTES)).to.equal('')
    expect(networkPrint({}, '')).to.equal('')
  })

  it('can be taken of this machine', () => expect(networkPrint()).to.equal(networkPrint()))
})

describe('a watch for jumps of the clock', () => {
  let wall = 0
  let mono = 0
  beforeEach(() => {
    wall = 1_700_000_000_000
    mono = 5
  })
  const pass = (wallMs: number, monoMs: number) => {
    wall += wallMs
    mono += monoMs
  }

  it('says how long the machine slept, once', () => {
    const jumped = jumpWatch(
      () => wall,
      () => mono,
    )
    pass(3_602_000, 2000)
    expect(jumped()).to.equal(3_600_000)
    pass(2000, 2000)
    expect(jumped()).to.equal(0)
  })

  it('says that the clock was set back', () => {
    const jumped = jumpWatch(
      () => wall,
      () => mono,
    )
    pass(-58_000, 2000)
    expect(jumped()).to.equal(-60_000)
  })

  it('says nothing of a clock that is slewed', () => {
    const jumped = jumpWatch(
      () => wall,
      () => mono,
    )
    for (let i = 0; i < 10_000; i++) {
      pass(2001, 2000)
      expect(jumped()).to.equal(0)
    }
  })
})
