/**
 * The real ssh, through `postern connect`, at a real sshd behind the guard:
 *
 *     client: ssh ── postern connect ──▶ server: posternd, sshd on 22 ──── inner (the stranger's place): sshd on 22
 *
 * and by the same way everything that is made of ssh: scp, sftp, rsync, git, a jump to what lies behind.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Child } from '../support/child.js'
import { clientOf } from '../support/client.js'
import { nameServer, SERVER_NAME } from '../support/hosts.js'
import { poll } from '../support/poll.js'
import { SshUser, sshdAt } from '../support/ssh.js'
import { becomesShut, begin, LEASE_MS, type Story } from '../support/story.js'

const BULK = randomBytes(48 << 20)
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('ssh through postern', () => {
  let story: Story
  let sshd: Child
  before(async () => {
    nameServer()
    const resources = [
      `00000001 = port: 22 / timeout: ${LEASE_MS / 1000} / max-timeout: 60`,
      '00000002 = port: 24 / timeout: 5 / connections: 1',
    ]
    story = await begin({ services: [24], resources, more: '[LETMEIN]\nenabled = yes' })
    sshd = await sshdAt(story.server, story.folder)
    writeFileSync(join(story.folder, 'bulk'), BULK)
  })
  after(() => story.close())

  const isShut = () => becomesShut(story.client, story.server.v4)
  /** Command lines of `postern connect` that run for this laboratory. */
  const atWork = async () => {
    const lines = (await story.client.must(['ps', '-eo', 'args'])).split('\n')
    return lines.filter((line) => /postern\S* connect/.test(line) && line.includes(story.postern.clientConfig))
  }
  const nobodyIsLeft = () => poll('postern connect has ended', async () => (await atWork()).length === 0)

  for (const form of ['fdpass', 'pipe', 'match-exec'] as const) {
    describe(`by ${form}`, () => {
      let user: SshUser
      before(async () => {
        user = await new SshUser(story, form).configure()
      })

      it('logs in at a port that is shut for everybody else, and says nothing', async () => {
        const { server, client, stranger } = story
        await isShut()
        expect(await client.connect(server.v4, 22)).to.equal('refused')
        expect(await user.must('ssh', [server.v4, 'echo in'])).to.equal('in\n')
        expect(await stranger.connect(server.v4, 22)).to.equal('refused')
        await nobodyIsLeft()
      })

      it('logs in at once where the port is open, and its lease is renewed', async () => {
        const { client, server, postern, daemon } = story
        const patient = await new SshUser(story, form, { options: ['--lifetime', '30'] }).configure()
        await patient.must('ssh', [server.v4, 'true'])
        const since = daemon!.lines.length
        await patient.must('ssh', [server.v4, 'true'])
        await daemon!.waitLine(/prolonged to .*: open 00000001/, 30_000, since)
        await postern.postern(client, 'revoke', server.v4, '22')
      })

      it('carries much, both ways, unchanged', async () => {
        const { server, folder } = story
        const up = join(folder, `up-${form}`)
        const { stdout, status, stderr } = await user.shell(
          `$SSH ${server.v4} 'cat >${up}' <${folder}/bulk && $SSH ${server.v4} 'cat ${up}' | sha256sum`,
        )
        expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
        expect(hashOf(readFileSync(up))).to.equal(hashOf(BULK))
        expect(stdout).to.include(hashOf(BULK))
      })

      it('ends each direction for itself', async () => {
        const line = `printf 'all of it' | $SSH ${story.server.v4} 'cat; sleep 0.2; echo " and then"'`
        expect((await user.shell(line)).stdout).to.equal('all of it and then\n')
      })

      it('gives back the exit code of what ran there', async () => {
        expect((await user.run('ssh', [story.server.v4, 'exit 7'])).status).to.equal(7)
      })

      it('ends when the server is killed amid a session, and leaves nothing behind', async () => {
        const { server } = story
        const session = user.spawn([server.v4, 'echo begun; exec cat /dev/zero >/dev/null'])
        await session.waitLine(/begun/)
        const [connection, ...children] = sshd.descendants()
        for (const pid of [connection!, ...children]) await server.run(['kill', '-9', String(pid)])
        expect((await session.exited).status).to.equal(255)
        await nobodyIsLeft()
      })
    })
  }

  // On a busy machine two SYNs may get in before this one hears of the first: sshd sees one more, which says nothing and ends.
  it('logs in once for each time that it is asked to, whichever SYN got in', async () => {
    const { server } = story
    const user = await new SshUser(story, 'fdpass').configure()
    const since = sshd.lines.length
    for (let n = 0; n < 3; n++) {
      await isShut()
      await user.must('ssh', [server.v4, 'true'])
    }
    const logins = () => sshd.lines.slice(since).filter((line) => /Accepted publickey/.test(line))
    await poll('sshd has told of three', () => logins().length >= 3)
    expect(logins()).to.have.length(3)
  })

  it('goes by IPv6 first where a name has both', async () => {
    const user = await new SshUser(story, 'fdpass', { host: SERVER_NAME }).configure()
    // Where the machine is so busy that IPv6 has no answer in time, IPv4 is right, too.
    const shown = () => user.must('ssh', [SERVER_NAME, 'echo $SSH_CONNECTION'])
    await poll('it goes by IPv6', async () => (await shown()).includes(` ${story.server.v6} 22`))
  })

  it('goes by IPv4 where nothing is served on IPv6, after a moment', async () => {
    const { server, client } = story
    const user = await new SshUser(story, 'pipe', { host: SERVER_NAME }).configure()
    await server.must([
      'nft',
      'add table inet six; add chain inet six in { type filter hook input priority 0; }; add rule inet six in meta nfproto ipv6 tcp dport 22 drop',
    ])
    try {
      await becomesShut(client, server.v4)
      expect(await user.must('ssh', [SERVER_NAME, 'echo $SSH_CONNECTION'])).to.include(` ${server.v4} 22`)
    } finally {
      await server.must(['nft', 'delete table inet six'])
    }
  })

  for (const protocol of ['letmein', 'auto']) {
    it(`knocks by ${protocol} where that is asked for`, async () => {
      const user = await new SshUser(story, 'fdpass', { options: ['--protocol', protocol] }).configure()
      await isShut()
      expect(await user.must('ssh', [story.server.v4, 'echo in'])).to.equal('in\n')
    })
  }

  it('uses a lease for one connection up with the connection that it keeps', async () => {
    const { client, server, postern } = story
    const argv = [clientOf(postern.folder), 'connect', '--config', postern.clientConfig, server.v4, '24']
    expect(await client.must(argv, { input: 'an echo' })).to.equal('an echo')
    expect(await client.connect(server.v4, 24)).to.equal('refused')
  })

  describe('carries', () => {
    let user: SshUser
    let home: string
    let there: string
    before(async () => {
      user = await new SshUser(story, 'fdpass').configure()
      home = join(story.folder, 'home')
      there = join(story.folder, 'there')
      for (const folder of [home, there]) mkdirSync(folder)
      writeFileSync(join(home, 'file'), BULK.subarray(0, 1 << 20))
    })
    beforeEach(isShut)

    it('scp, there and back', async () => {
      await user.must('scp', ['-q', join(home, 'file'), `${story.server.v4}:${there}/scp`])
      await user.must('scp', ['-q', `${story.server.v4}:${there}/scp`, join(home, 'scp-back')])
      expect(hashOf(readFileSync(join(home, 'scp-back')))).to.equal(hashOf(BULK.subarray(0, 1 << 20)))
    })

    it('sftp', async () => {
      const input = `put ${home}/file ${there}/sftp\nget ${there}/sftp ${home}/sftp-back\n`
      await user.run('sftp', ['-q', '-b', '-', story.server.v4], { input })
      expect(hashOf(readFileSync(join(home, 'sftp-back')))).to.equal(hashOf(BULK.subarray(0, 1 << 20)))
    })

    it('rsync', async () => {
      const { status, stderr } = await user.shell(`rsync -a -e "$SSH" ${home}/ ${story.server.v4}:${there}/rsync/`)
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
      expect(hashOf(readFileSync(join(there, 'rsync/file')))).to.equal(hashOf(BULK.subarray(0, 1 << 20)))
    })

    it('git: a clone, and a push back', async () => {
      const git = `git -c user.name=a -c user.email=a@example.org -c init.defaultBranch=main -c protocol.version=2`
      const { status, stderr, stdout } = await user.shell(
        `set -e; export GIT_SSH_COMMAND="$SSH" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
        ${git} init -q --bare ${there}/repository.git
        ${git} clone -q ssh://${story.server.v4}${there}/repository.git ${home}/clone 2>/dev/null
        cd ${home}/clone && cp ../file . && ${git} add file && ${git} commit -qm one && ${git} push -q origin HEAD:main
        ${git} clone -q -b main ssh://${story.server.v4}${there}/repository.git ${home}/again && ${git} -C ${home}/again log --format=%s`,
      )
      expect({ status, stderr, stdout }).to.deep.equal({ status: 0, stderr: '', stdout: 'one\n' })
    })

    it('a jump (ssh -J) to a host behind it, which does not knock', async () => {
      const { server, stranger, folder } = story
      await sshdAt(stranger, join(folder, 'inner'))
      user.add(`IdentityFile ${folder}/inner/user_key\n`)
      const where = await user.must('ssh', ['-J', server.v4, stranger.v4, 'echo $SSH_CONNECTION'])
      expect(where).to.match(new RegExp(`^${server.v4} \\d+ ${stranger.v4} 22\n$`))
    })
  })

  describe('where nobody answers', () => {
    before(() =>
      story.server.must([
        'nft',
        'add table inet dead; add chain inet dead in { type filter hook prerouting priority -400; policy drop; }',
      ]),
    )
    after(() => story.server.must(['nft', 'delete table inet dead']))

    for (const form of ['fdpass', 'pipe'] as const) {
      it(`says so when the time is over, by ${form}`, async () => {
        const user = await new SshUser(story, form, { options: ['--wait', '0.5'] }).configure()
        const { status, stderr } = await user.run('ssh', [story.server.v4, 'true'])
        expect(status).to.equal(255)
        expect(stderr).to.match(
          /^postern: port 22 of 198\.18\.0\.1 is still shut 0\.5 s after .*\(TCP: 198\.18\.0\.1: no answer\)$/m,
        )
      })
    }

    it('ends with ssh, whose ConnectTimeout is shorter', async () => {
      const user = await new SshUser(story, 'pipe').configure()
      const { status, stderr } = await user.run('ssh', ['-o', 'ConnectTimeout=1', story.server.v4, 'true'])
      expect(status).to.equal(255)
      expect(stderr).to.include('timed out')
      await nobodyIsLeft()
    })
  })
})
