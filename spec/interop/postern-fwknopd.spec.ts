import { expect } from 'chai'
import { bundle, ROOT } from '../cli/program.js'
import { clientOf } from '../support/client.js'
import { accessFile, FWKNOP_MODES, FWKNOP_PORT, rcStanza } from '../support/fwknop-peer.js'
import { Place } from '../support/fwknopd-place.js'
import { becomesShut, datagramsOf, withinLease } from '../support/story.js'

for (const mode of FWKNOP_MODES) {
  describe(`postern at the real fwknopd, ${mode} mode`, () => {
    let place: Place
    before(async () => {
      bundle()
      const access = accessFile('tcp/22,udp/53,tcp/2222', { timeoutSeconds: 2 })
      place = await Place.open(mode, access, [22, 2222])
      place.rc(rcStanza('gate', place.address, ['ACCESS tcp/22']))
    })
    after(() => place.lab.close())
    afterEach(() => becomesShut(place.lab.client, place.address))

    it('opens a port for this machine alone, waits until it is open, and it is shut in time', async () => {
      const { client, stranger } = place.lab
      expect(await client.connect(place.address, 22)).to.equal('silent')
      await withinLease(async () => {
        await becomesShut(client, place.address)

        const { status, stdout, stderr } = await place.postern('--wait gate')

        expect(stdout).to.match(/^port 22 of 198\.18\.0\.1 is open \(198\.18\.0\.1, after \d+ ms\)\n$/)
        expect([status, stderr]).to.deep.equal([0, ''])
        expect(await client.connect(place.address, 22)).to.equal('open')
        expect(await stranger.connect(place.address, 22)).to.equal('silent')
      })
    })

    it('opens several ports with one packet', async () => {
      const since = place.logged
      expect((await place.postern('--wait gate 22 udp/53 tcp/2222')).status).to.equal(0)
      for (const port of ['tcp/22', 'udp/53', 'tcp/2222'])
        await place.log(new RegExp(`Added access rule .*198\\.18\\.1\\.2 .*${port}`), since)
      expect(place.server.daemon.lines.slice(since).filter((line) => /SPA Packet from IP/.test(line))).to.have.length(1)
      await becomesShut(place.lab.client, place.address, 2222)
    })

    it('refuses a packet of postern’s that it has seen before', async () => {
      const capture = await place.lab.server.capture()
      const since = place.logged
      expect((await place.postern('--wait --tries 1 gate')).status).to.equal(0)
      const [datagram] = datagramsOf(await capture.packets())
      await becomesShut(place.lab.client, place.address)

      await place.lab.client.send(place.address, FWKNOP_PORT, [datagram!])

      await place.log(/Replay detected from source IP: 198\.18\.1\.2/, since)
      expect(await place.lab.client.connect(place.address, 22)).to.equal('silent')
    })

    it('stays shut to a wrong key, and postern says what to do', async () => {
      const since = place.logged
      // KEY comes before KEY_BASE64, wherever each is.
      place.rc(rcStanza('gate', place.address, ['KEY wrong', 'HMAC_KEY wrong-too']))

      const { status, stderr } = await place.postern('--wait --timeout 0.5 gate 22')

      place.rc(rcStanza('gate', place.address, ['ACCESS tcp/22']))
      expect(stderr).to.match(
        /^postern: port 22 of 198\.18\.0\.1 is still shut 0\.5 s after the knock at 198\.18\.0\.1: /,
      )
      expect(stderr).to.match(/compare \S+\.fwknoprc \[gate\] with its access\.conf: KEY, HMAC_KEY, /)
      expect(status).to.equal(1)
      await place.log(/HMAC/, since)
      expect(place.server.daemon.lines.slice(since).filter((line) => /Added access rule/.test(line))).to.deep.equal([])
    })
  })
}

describe('what postern asks of the real fwknopd', () => {
  let place: Place
  before(async () => {
    bundle()
    const more = ['MAX_FW_TIMEOUT 9', 'REQUIRE_USERNAME alice']
    place = await Place.open('udp', accessFile('tcp/22', { timeoutSeconds: 30, more }), [22])
    place.rc(rcStanza('gate', place.address, ['ACCESS tcp/22']))
  })
  after(() => place.lab.close())
  afterEach(() => place.lab.server.must(['iptables', '-F', 'FWKNOP_INPUT']))

  /** Knocks so, and fwknopd tells when the port will be shut again: `seconds` after some second from before to now. */
  const isOpenFor = async (seconds: number, line: string) => {
    const [since, began] = [place.logged, Math.floor(Date.now() / 1000)]
    await place.postern(line)
    const [, epoch] = await place.log(/Added access rule .* expires at (\d+)/, since)
    expect(Number(epoch)).to.be.within(began + seconds, Math.floor(Date.now() / 1000) + seconds)
  }

  it('is open for as long as the client says', async () => {
    await isOpenFor(5, 'gate --lifetime 5')
  })

  it('is open no longer than the server allows, and as long as it says where the client does not', async () => {
    await isOpenFor(9, 'gate -l 1h')
    await isOpenFor(30, 'gate')
  })

  for (const [words, whose] of [
    ['--address source', 'client'],
    ['--address auto', 'client'],
    ['--address resolve', 'client'],
    ['--address 198.18.2.2', 'stranger'],
  ] as const)
    it(`opens for the ${whose} with ${words}`, async () => {
      const since = place.logged
      await place.postern(`gate ${words}`)
      await place.log(/Added access rule/, since)
      const { client, stranger } = place.lab
      const outcome = {
        client: whose === 'client' ? 'open' : 'silent',
        stranger: whose === 'stranger' ? 'open' : 'silent',
      }
      expect(await client.connect(place.address, 22)).to.equal(outcome.client)
      expect(await stranger.connect(place.address, 22)).to.equal(outcome.stranger)
    })

  it('connects, for ssh, as soon as the port is open', async () => {
    const words = ['connect', '--protocol', 'fwknop', 'gate', '22']
    const { lab } = place
    const { status, stdout, stderr } = await lab.client.run([clientOf(ROOT), ...words], {
      env: { HOME: lab.folder, LOGNAME: 'alice' },
      input: 'hello',
    })
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    expect(stdout).to.include('hello')
  })

  it('comes from the port that is named', async () => {
    const capture = await place.lab.server.capture()
    const since = place.logged
    await place.postern('gate --source-port 5353')
    await place.log(/Added access rule/, since)
    const [packet] = (await capture.packets()).filter(({ destinationPort }) => destinationPort === FWKNOP_PORT)
    expect(packet).to.include({ sourcePort: 5353 })
  })

  it('is refused for another user name', async () => {
    const since = place.logged
    await place.postern('gate --spoof-user bob')
    await place.log(/Username in SPA data \(bob\) does not match/, since)
    expect(await place.lab.client.connect(place.address, 22)).to.equal('silent')
  })

  it('is refused for a clock that is wrong, which --time-offset sets right', async () => {
    const since = place.logged
    await place.postern('gate --time-offset=-10m')
    await place.log(/SPA data time difference is too great \(\d+ seconds\)/, since)
    await place.postern('gate --time-offset=1m')
    await place.log(/Added access rule/, since)
  })
})
