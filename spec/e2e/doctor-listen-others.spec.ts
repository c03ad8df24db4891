/**
 * The administrator hears what letmein's and fwknop's clients send, and is told whose it is and why it opens nothing.
 *
 *   client: fwknop, letmein's exchange ── server: posternd with an access.conf and letmein, posternd doctor --listen
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'chai'
import { AUTH_BYTES, encodeSigned } from '../../lib/wire/letmein.js'
import type { Child } from '../support/child.js'
import { accessFile, KEYS } from '../support/fwknop-peer.js'
import { beginFwknop, type FwknopStory } from '../support/fwknop-story.js'
import { clientFile, KEY, serverFile, USER } from '../support/installation.js'

const RESOURCES = ['00000001 = port: 22 / name: ssh / timeout: 30', '00000002 = port: 2222 / users: 0000000B']
const MORE = `[LETMEIN]\nenabled = yes\n[USERS]\n${USER} = name: alice\n`
const FIRST = accessFile('tcp/22', { more: ['REQUIRE_USERNAME alice'] })
const ACCESS = `${FIRST}
SOURCE 192.0.2.0/24
KEY another key for the laboratory
HMAC_KEY another HMAC key for the laboratory
OPEN_PORTS tcp/22
REQUIRE_SOURCE_ADDRESS Y
`
const SECOND = `access.conf:${FIRST.split('\n').length + 1}`

describe('posternd doctor --listen, before other clients', () => {
  let story: FwknopStory
  before(async () => {
    story = await beginFwknop({ access: ACCESS, resources: RESOURCES, services: [22, 2222], more: MORE })
  })
  after(() => story.close())

  interface Told {
    readonly codes: readonly string[]
    readonly sentence: string
    readonly mend: string
    readonly notes: readonly string[]
  }

  /** `until`: the line at which the administrator ends it by Ctrl-C. */
  async function told(
    knock: (doctor: Child) => Promise<unknown>,
    words: readonly string[] = [],
    time = '8',
    until?: RegExp,
  ): Promise<Told> {
    const { postern, server } = story
    const all = [...postern.at, '--state-dir', join(story.folder, 'state'), '--listen', time, ...words]
    const doctor = server.spawn([join(postern.folder, 'bin/posternd'), 'doctor', '--json', ...all], {
      POSTERN_NODE: '/run/node',
    })
    await doctor.waitLine(/^posternd: listening for/)
    await knock(doctor)
    if (until !== undefined) {
      await doctor.waitLine(until)
      doctor.signal('SIGINT')
    }
    await doctor.exited
    await doctor.closed
    const { findings, notes } = JSON.parse(doctor.lines.find((line) => line.startsWith('{'))!)
    return {
      codes: findings.map(({ code }: { code: string }) => code),
      sentence: findings[0]?.sentence ?? '',
      mend: findings[0]?.mend ?? '',
      notes,
    }
  }

  /** fwknop's own client. */
  const fwknop = (more: readonly string[] = [], ports = 'tcp/22', hmac = true) =>
    story.knock(story.client, { ports, hmac, more: ['-U', 'alice', ...more] })

  describe('of fwknop', () => {
    it('says that the packet of a stanza arrived with its keys', async () => {
      const { codes, notes } = await told(() => fwknop())
      expect(codes).to.deep.equal([])
      expect(notes[0]).to.match(
        /^the packet of fwknop’s stanza access\.conf:1 arrived from 198\.18\.\S+ with the right keys \(user name "alice"\); its time is \d s off$/,
      )
      expect(notes[0]).to.include(story.client.v4)
    })

    for (const [words, code, sentence, mend] of [
      [
        ['--time-offset-minus', '10M'],
        'clock-off',
        /the clock there is (10 min|10 min \d s|9 min 5\d s) behind this one, .*: 2 min are let pass/,
        /^timedatectl set-ntp true/,
      ],
      [
        ['--key-hmac', 'somebody’s', '--key-rijndael', 'somebody else’s'],
        'another-key',
        /a packet of fwknop’s form with keys which none of the 2 stanzas has/,
        /KEY ~\/\.fwknoprc/,
      ],
      [
        ['--key-hmac', 'somebody’s'],
        'fwknop-hmac',
        /stanza access\.conf:1 with its KEY and with another HMAC_KEY/,
        /HMAC_KEY/,
      ],
      [
        ['--key-rijndael', 'somebody’s'],
        'fwknop-key',
        /arrived from \S+ with its HMAC_KEY and with another KEY, so it cannot be read/,
        /KEY/,
      ],
      [
        ['--encryption-mode', 'ctr'],
        'fwknop-key',
        /with ENCRYPTION_MODE ctr, where the stanza has cbc/,
        /ENCRYPTION_MODE ~\/\.fwknoprc/,
      ],
      [
        ['--hmac-digest-type', 'SHA512'],
        'fwknop-digest',
        /HMAC is made by sha512, where the stanza’s HMAC_DIGEST_TYPE is sha256/,
        /HMAC_DIGEST_TYPE/,
      ],
      [
        ['--spoof-user', 'bob'],
        'fwknop-username',
        /user name "bob", where the stanza’s REQUIRE_USERNAME is "alice"/,
        /--spoof-user alice/,
      ],
      [
        ['-a', '10.1.2.3'],
        'address-differs',
        /opens for 10\.1\.2\.3, which it names: connections from there come from 198\.18/,
        /--address source/,
      ],
      [
        ['-A', 'tcp/2222'],
        'fwknop-ports',
        /tcp\/2222 is not in OPEN_PORTS/,
        /after an edit of access\.conf:1: let its OPEN_PORTS have tcp\/2222/,
      ],
      [['-A', 'tcp/23'], 'fwknop-ports', /tcp\/23 is not in OPEN_PORTS/, /./],
      [
        ['-p', '62202'],
        'knock-port',
        /at UDP port 62202, and fwknop’s clients are heard at UDP port 5800, 62201/,
        /--port 62201/,
      ],
    ] as const)
      it(`says what is wrong with: fwknop ${words.join(' ')}`, async () => {
        const found = await told(() => fwknop(words))
        expect(found.codes).to.deep.equal([code])
        expect(found.sentence).to.match(sentence)
        expect(found.mend).to.match(mend)
        for (const key of Object.values(KEYS)) expect(JSON.stringify(found)).not.to.include(key)
      })

    it('says that it has no HMAC', async () => {
      const { codes, sentence } = await told(() => fwknop([], 'tcp/22', false))
      expect(codes).to.deep.equal(['fwknop-hmac'])
      expect(sentence).to.include('without an HMAC, which the stanza wants')
    })

    it('says all that a stanza has against it, where that is named', async () => {
      const keys = [
        '--key-rijndael',
        'another key for the laboratory',
        '--key-hmac',
        'another HMAC key for the laboratory',
      ]
      const { codes, sentence } = await told(
        () => story.knock(story.client, { ports: 'tcp/22', allow: 'source', more: keys }),
        ['--user', SECOND],
      )
      expect(codes).to.deep.equal(['fwknop-source', 'fwknop-address-required'])
      expect(sentence).to.match(new RegExp(`stanza ${SECOND} arrived .* SOURCE does not have ${story.client.v4}`))
    })

    it('says that none came from the client of a stanza', async () => {
      const { codes, sentence } = await told(async () => undefined, ['--user', 'access.conf:1'], '1')
      expect(codes).to.deep.equal(['nothing-arrived'])
      expect(sentence).to.match(/at UDP port 5800, 62201 within 1 s/)
    })
  })

  describe('of letmein', () => {
    const change = (edit: (text: string) => string) => story.postern.configureClient(edit(clientFile(RESOURCES)))
    const letmein = async (...words: string[]) =>
      story.postern.postern(story.client, 'knock', '--protocol', 'letmein', '-4', ...words, story.server.v4)
    afterEach(() => change((text) => text))

    it('says that a KNOCK arrived with the right key, and that its CHALLENGE was answered', async () => {
      const { codes, notes } = await told(() => letmein('-r', '1'))
      expect(codes).to.deep.equal([])
      expect(notes[0]).to.match(
        /^letmein’s KNOCK of user alice \(0000000A\) arrived from 198\.18\S+ with the right key, and it answered the CHALLENGE$/,
      )
    })

    it('says that it has another key, or is of nobody, and hears on, for anybody can send that', async () => {
      const heard = (what: string) =>
        told(
          () => letmein('-r', '1'),
          [],
          '60',
          new RegExp(`^posternd: heard: letmein’s KNOCK of ${what}.*; listening on`),
        )
      change((text) => text.replace(KEY, 'AB'.repeat(32)))
      const other = await heard('user alice \\(0000000A\\) arrived .* made with another key .*, or by somebody else')
      expect(other.codes).to.deep.equal(['another-key'])
      change((text) => text.replaceAll(USER, '0000000C'))
      const nobody = await heard('user 0000000C arrived .* has no key of this user')
      expect(nobody.codes).to.deep.equal(['unknown-user'])
    })

    const SIGNED = { user: 0xa, resource: 1, salt: randomBytes(8) }
    const [HIS, NOT_HIS] = [Buffer.from(KEY, 'hex'), randomBytes(32)]
    const knock = (key: Uint8Array) => encodeSigned({ ...SIGNED, operation: 'KNOCK' }, key, new Uint8Array(AUTH_BYTES))

    it('waits for his own KNOCK behind one that somebody forged', async () => {
      const { client, stranger, server } = story
      const { codes, notes } = await told(
        async (doctor) => {
          await stranger.send(server.v4, 5800, [knock(NOT_HIS)])
          await doctor.waitLine(new RegExp(`^posternd: heard: .* arrived from ${stranger.v4}, .* or by somebody else`))
          await letmein('-r', '1')
        },
        ['--user', 'alice'],
        '60',
      )
      expect(codes).to.deep.equal([])
      expect(notes[0]).to.match(new RegExp(`arrived from ${client.v4} with the right key, and it answered`))
    })

    it('takes no RESPONSE for his that is not made of the CHALLENGE that left', async () => {
      const { client, server } = story
      const responses = [HIS, NOT_HIS].map((key) => encodeSigned({ ...SIGNED, operation: 'RESPONSE' }, key, NOT_HIS))
      const { codes, sentence } = await told(() => client.send(server.v4, 5800, [knock(HIS), ...responses]), [], '60')
      expect(codes).to.deep.equal(['challenge-lost'])
      expect(sentence).to.match(/with the right key, its CHALLENGE left from UDP port 5800, and no RESPONSE followed/)
    })

    it('says that there is no such resource, that it is not for him, that the port is another', async () => {
      expect((await told(() => letmein('-r', '77'))).codes).to.deep.equal(['resource'])
      const notHis = await told(() => letmein('-r', '2'))
      expect(notHis.codes).to.deep.equal(['not-allowed'])
      const other = await told(() => letmein('-r', '1', '--port', '5801'))
      expect(other.codes).to.deep.equal(['knock-port'])
      expect(other.sentence).to.include('UDP port 5801, and letmein’s clients are heard at UDP port 5800')
      await story.server.must(['sh', '-c', notHis.mend.split(' && ')[0]!])
      expect(await story.server.must(['cat', story.postern.serverConfig])).to.include('users: 0000000A, 0000000B')
      story.postern.configure(
        serverFile(RESOURCES, { more: `[FWKNOP]\naccess-file = ${join(story.folder, 'access.conf')}\n${MORE}` }),
      )
    })

    it('says that the CHALLENGE does not get out', async () => {
      const { server } = story
      await server.must([
        'nft',
        'table inet wall { chain out { type filter hook output priority 0; policy drop; tcp sport 22 accept; }; }',
      ])
      const { codes, sentence } = await told(() => letmein('-r', '1'))
      expect(codes[0]).to.equal('answers-dropped')
      expect(sentence).to.match(/policy of chain out of table inet wall drops .* CHALLENGE/)
      await server.must(['nft', 'delete table inet wall'])
    })
  })
})
