/**
 *     stranger ── datagrams of all kinds ──▶ server: without postern | posternd runs | posternd was killed
 *              ◀── exactly the same answers, packet for packet and byte for byte
 */
import { expect } from 'chai'
import { KNOCK_PORT } from '../support/installation.js'
import type { Packet } from '../support/packet.js'
import { begin, datagramsOf, type Story } from '../support/story.js'

/** What a scanner may try (few enough for the 50 ICMP messages at once that older kernels allow a host): empty, letmein's length, a knock's shortest and longest, one more, and a long one. */
const LENGTHS = [0, 56, 86, 140, 256, 257, 1400]

/** Hosts: the ruleset, and how many answers one round of tries gets (3 ports, 2 families, each length and a recorded knock). */
const HOSTS = {
  'that refuses (no firewall)': { ruleset: '', answers: 3 * 2 * (LENGTHS.length + 1) },
  'that drops': {
    answers: 0,
    ruleset: `table inet host { chain input { type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
    meta l4proto ipv6-icmp accept
    tcp dport 7 accept
  }
}`,
  },
}

for (const [name, { ruleset, answers }] of Object.entries(HOSTS)) {
  describe(`on a host ${name}`, () => {
    let story: Story
    let recorded: Buffer
    let withoutPostern: string[]
    before(async () => {
      story = await begin({ daemon: false, services: [7, 22] })
      const { server } = story
      if (ruleset !== '') await server.must(['nft', '-f', '-'], { input: ruleset })
      recorded = await oneKnock()
      withoutPostern = await answersToStranger()
      expect(withoutPostern).to.have.length(answers)
    })
    afterEach(() => story.daemon?.kill9())
    after(() => story.close())

    /** A datagram with a true tag and seal: what a stranger can have recorded. The daemon has ended and left nothing. */
    async function oneKnock(): Promise<Buffer> {
      const { client, server, postern } = story
      const daemon = await postern.start()
      const capture = await server.capture()
      await postern.knock(client, server.v4, '22')
      await daemon.waitLine(/opened .* open 00000001/)
      const [datagram] = datagramsOf(await capture.packets())
      await daemon.stop()
      const { status, stderr } = await postern.posternd('down', ...postern.at)
      expect(status, stderr).to.equal(0)
      return datagram!
    }

    /** All that the server sends a stranger who tries everything over both families, and until `judged` has come about. */
    async function answersToStranger(judged = async () => {}): Promise<string[]> {
      const { stranger, server } = story
      const capture = await server.capture()
      for (const address of [server.v4, server.v6]) {
        for (const port of [KNOCK_PORT, KNOCK_PORT + 1, 22]) {
          const datagrams = [...LENGTHS.map((length) => Buffer.alloc(length, port)), recorded]
          await stranger.send(address, port, datagrams, 40_000)
        }
        expect(await stranger.connect(address, 7)).to.equal('open')
      }
      await judged()
      const sent = await capture.sent()
      const toHim = ({ destination }: Packet) => destination === stranger.v4 || destination === stranger.v6
      return sent.filter((packet) => toHim(packet) && packet.kind !== 'tcp').map(String)
    }

    it('strangers meet the same without postern, with it and after it was killed', async () => {
      const { client, server, postern } = story
      const daemon = await postern.start()
      story.daemon = daemon
      // Datagrams are heard in order: when this one has opened, all before it were judged.
      const judged = async () => {
        await postern.knock(client, server.v4, '22')
        await daemon.waitLine(/opened .* open 00000001/)
      }
      expect(await answersToStranger(judged), 'posternd runs').to.deep.equal(withoutPostern)
      await daemon.kill9()
      expect(await answersToStranger(), 'posternd was killed').to.deep.equal(withoutPostern)
    })

    it('a guarded TCP port answers a SYN as a closed one does', async () => {
      const { stranger, server, postern } = story
      story.daemon = await postern.start()
      for (const address of [server.v4, server.v6]) {
        const capture = await server.capture()
        const guarded = await stranger.connect(address, 22)
        const closed = await stranger.connect(address, 23)
        expect(guarded).to.equal(closed)
        const answers = (await capture.sent()).filter((packet) => packet.kind === 'tcp')
        expect(answersFrom(answers, 22)).to.deep.equal(answersFrom(answers, 23))
      }
    })
  })
}

function answersFrom(packets: readonly Packet[], port: number): string[] {
  return packets
    .filter((packet) => packet.sourcePort === port)
    .map(({ length, tcpFlags }) => `${length} bytes, flags ${tcpFlags}`)
}
