/**
 *     client ──knock──▶ machine: Debian 13, systemd as process 1, the built .deb, sshd, nftables.service ◀── stranger
 *
 * What the package promises where its units run: ready means ready, whatever ends the daemon leaves the port shut, no boot opens
 * it for a moment, the journal has its fields, the sandbox holds.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ROOT } from '../cli/program.js'
import { clientOf } from '../support/client.js'
import { nameServer, SERVER_NAME } from '../support/hosts.js'
import { type Lab, openLab } from '../support/lab.js'
import { MACHINE, Machine } from '../support/machine.js'
import type { Namespace, Outcome } from '../support/namespace.js'
import { pause, poll } from '../support/poll.js'

if (MACHINE === undefined)
  it('a machine with systemd is booted by root alone', () => {
    // Where the real root comes here, scripts/test has failed to make one.
    expect(readFileSync('/proc/self/uid_map', 'latin1').trim()).to.not.match(/^0 +0 +4294967295$/)
  })
else describe('postern on a machine with systemd', () => inMachine(MACHINE!))

function inMachine(debian: string): void {
  let lab: Lab
  let machine: Machine
  before(async () => {
    nameServer()
    lab = await openLab()
    execFileSync(join(ROOT, 'scripts/deb'), [lab.folder], { stdio: 'pipe' })
    machine = new Machine(lab, debian)
    await machine.boot()
    await machine.isUp()
  })
  after(async () => {
    await machine?.close()
    await lab?.close()
  })

  const postern = (...words: readonly string[]): Promise<Outcome> =>
    lab.client.run([clientOf(ROOT), ...words], { env: HOME_OF(lab) })
  async function knock(): Promise<void> {
    const { status, stderr } = await postern('knock', SERVER_NAME, 'ssh', '--wait')
    expect(status, stderr).to.equal(0)
  }
  const from = (host: Namespace) => host.connect(lab.server.v4, 22)
  const isActive = async (unit = 'postern') => (await machine.run(`systemctl is-active ${unit}`)).stdout.trim()
  const tables = () => machine.must('nft list tables')
  /** The journal's entries of the daemon that match, one field a word. */
  async function journal(...matches: readonly string[]): Promise<Record<string, string>[]> {
    const lines = await machine.must(`journalctl --output=json --boot --unit=postern ${matches.join(' ')}`)
    return lines
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  }
  /** From now on a stranger tries the port again and again; the function says what he saw, and ends it. */
  function watched(): () => Promise<Set<string>> {
    const seen = new Set<string>()
    let ending = false
    const trying = (async () => {
      for (; !ending; await pause(2))
        for (const address of [lab.server.v4, lab.server.v6]) seen.add(await lab.stranger.connect(address, 22))
    })()
    return async () => {
      ending = true
      await trying
      return seen
    }
  }
  /** Waits for a line of the daemon in the journal. */
  const said = (words: string) =>
    poll(`a line with "${words}"`, async () => (await journal()).some(({ MESSAGE }) => MESSAGE!.includes(words)))
  /** Whether the monitor answers. */
  const hears = async () => JSON.parse(await machine.must('posternd status --json')).running as boolean
  /** Words of carol, as `su` would give them. */
  const carols = async (words: string) => {
    const env = { HOME: '/home/carol', XDG_RUNTIME_DIR: `/run/user/${(await machine.must('id -u carol')).trim()}` }
    return machine.must(`runuser -u carol -- ${words}`, { env })
  }

  it('installs, and neither starts nor enables anything', async () => {
    const [deb] = execFileSync('find', [lab.folder, '-maxdepth', '1', '-name', '*.deb'], { encoding: 'utf8' }).split(
      '\n',
    )
    await machine.must(`dpkg --install ${machine.place(deb!)}`, { timeoutMs: 100_000 })
    const { stdout } = await machine.run('systemctl is-enabled postern postern-gate postern-sleep')
    expect(stdout).to.equal('disabled\ndisabled\ndisabled\n')
    expect(await isActive()).to.equal('inactive')
    expect(await tables()).to.equal('')
    expect(await from(lab.stranger)).to.equal('open')
  })

  it('is ready when systemd says so: a knock opens for its sender alone', async () => {
    await machine.must(`posternd init --yes --protect 22 --host ${SERVER_NAME} --user alice`)
    await machine.must("sed -i 's/^realm *=.*/&\\nwindow = 300/' /etc/postern/posternd.conf")
    await machine.must('posternd check && posternd trust-clock && systemctl enable --now postern-gate postern nftables')
    expect(await isActive()).to.equal('active')
    expect(await from(lab.client)).to.equal('refused')
    execFileSync(clientOf(ROOT), ['add'], {
      env: { ...process.env, ...HOME_OF(lab) },
      input: await machine.must('posternd enroll alice --again'),
      stdio: 'pipe',
    })
    await knock()
    expect(await from(lab.stranger)).to.equal('refused')
  })

  it('tells the journal of each knock in fields', async () => {
    const matches = ['POSTERN_USER_NAME=alice', 'POSTERN_EVENT=opened', `POSTERN_ADDRESS=${lab.client.v4}`]
    const opened = await poll('the line of the knock', async () => {
      const entries = await journal(...matches)
      return entries.length > 0 ? entries : undefined
    })
    expect(opened).to.have.length(1)
    expect(opened[0]).to.include({
      POSTERN_RESOURCE_NAME: 'ssh',
      POSTERN_PROTOCOL: 'spa',
      POSTERN_REMAINING_MS: '60000',
      SYSLOG_IDENTIFIER: 'posternd',
      PRIORITY: '6',
      _SYSTEMD_UNIT: 'postern.service',
    })
    expect(opened[0]!['MESSAGE_ID']).to.match(/^[0-9a-f]{32}$/)
  })

  it('is exposed 2.0 at most, of 10, as it runs, and its listener may do nothing', async () => {
    for (const unit of ['postern', 'postern-gate', 'postern-sleep']) {
      const said = await machine.must(`systemd-analyze security --no-pager ${unit}.service`)
      const [, exposure] = /Overall exposure level for \S+: ([0-9.]+)/.exec(said) ?? []
      expect(Number(exposure), said).to.be.at.most(2).and.above(0)
    }
    const status = await machine.must('cat /proc/$(pgrep -u postern-listener)/status')
    expect(status)
      .to.match(/^CapEff:\t0+$/m)
      .and.match(/^CapBnd:\t0+$/m)
      .and.match(/^NoNewPrivs:\t1$/m)
    expect(status).to.match(/^Seccomp:\t2$/m)
    // What root's own starter, in the same sandbox, finds.
    const inside = (words: string) => machine.run(`nsenter -t $(pgrep -u postern-listener) -m sh -c '${words}'`)
    expect((await inside('touch /etc/x /usr/x || ls -A /root /home')).stdout).to.equal('/home:\n\n/root:\n')
    expect(await machine.must('ls -A /root')).to.not.equal('')
  })

  it('reloads a good file, and keeps the old one where it is bad', async () => {
    await machine.must('cp -p /etc/postern/posternd.conf /root/kept && systemctl reload postern')
    await said('reloaded')
    await machine.must('echo nonsense >>/etc/postern/posternd.conf && systemctl reload postern')
    await said('nothing was changed')
    await machine.must('cp -p /root/kept /etc/postern/posternd.conf')
    expect(await isActive()).to.equal('active')
    expect(await from(lab.client), 'the lease stays').to.equal('open')
  })

  it('doctor and check name the drop-in without which no client of letmein’s is answered', async () => {
    const file = '/etc/postern/posternd.conf'
    await machine.must(`printf '\\n[LETMEIN]\\nenabled = yes\\n' >>${file} && systemctl reload postern`)
    const found = async () => {
      const { stdout } = await machine.run('posternd doctor --json')
      const { findings } = JSON.parse(stdout) as { findings: { code: string; mend: string }[] }
      return findings.filter(({ code }) => code === 'unit-forbids')
    }
    const [finding] = await found()
    expect(finding?.mend).to.include('/usr/share/postern/conf/systemd/letmein.conf')
    expect((await machine.run('posternd check')).stderr).to.include(
      `its drop-in ${DROP_IN} is missing: ${finding!.mend}`,
    )
    await machine.must(finding!.mend)
    expect(await found()).to.deep.equal([])
    await machine.must(
      `rm -r $(dirname ${DROP_IN}) && cp -p /root/kept ${file} && systemctl daemon-reload && systemctl restart postern`,
    )
  })

  it('has no instant token in the kernel from ahead of a sleep to the wake-up', async () => {
    expect(await machine.must('systemctl is-enabled postern-sleep')).to.equal('enabled\n')
    await machine.must("sed -i 's,name: ssh,& / instant: yes,' /etc/postern/posternd.conf && systemctl reload postern")
    const hasTokens = async () => {
      return (await machine.must('nft list set inet postern inst_00000022')).includes('elements')
    }
    await poll('tokens are in', hasTokens)
    await machine.must('cat >/etc/systemd/system/nap.service', { input: NAP })
    await machine.must('systemctl daemon-reload && systemctl start --no-block nap')
    await poll('it sleeps', async () => (await isActive('sleep.target')) === 'active')
    expect(await isActive('postern-sleep')).to.equal('active')
    expect(await hasTokens()).to.equal(false)
    await said('the machine goes to sleep')
    await machine.must('touch /run/morning')
    await said('the machine is awake')
    await poll('all is over', async () => (await isActive('sleep.target postern-sleep')) === 'inactive\ninactive')
    expect(await machine.must('journalctl --boot --unit=postern-sleep')).to.not.match(/posternd: |fail/i)
    await machine.must('cp -p /root/kept /etc/postern/posternd.conf && systemctl reload postern')
  })

  it('no boot opens a port for a moment', async () => {
    await machine.powerOff()
    await machine.boot()
    const end = watched()
    await machine.isUp()
    expect([...(await end())]).to.deep.equal(['refused'])
    expect(await isActive('postern postern-gate nftables ssh')).to.equal('active\nactive\nactive\nactive')
    expect(await machine.must('posternd status')).to.include('no lease is live')
  })

  it('accepts a knock at once after a boot, where the daemon was stopped with the last one', async () => {
    await knock()
    expect(await journal('POSTERN_REASON=untrusted')).to.deep.equal([])
    expect(await from(lab.stranger)).to.equal('refused')
  })

  it('comes back behind a flush of nftables.service, with a daemon and without', async () => {
    await machine.must('systemctl restart nftables')
    await poll('the gate is back', async () => (await from(lab.stranger)) === 'refused')
    expect(await isActive()).to.equal('active')
    await machine.must('systemctl stop postern')
    for (const verb of ['restart', 'reload']) {
      await machine.must(`systemctl ${verb} nftables`)
      await poll(`the gate is back behind ${verb}`, async () => {
        return (await from(lab.stranger)) === 'refused' && (await isActive('postern-gate')) === 'active'
      })
    }
    await machine.must('systemctl start postern')
  })

  it('a user keeps his ports open elsewhere by his own manager, without a login', async () => {
    await lab.client.listen(5800)
    await machine.must(
      'useradd --create-home carol && systemd-run --quiet --wait --collect loginctl enable-linger carol',
    )
    await machine.must('systemctl start "user@$(id -u carol).service"')
    const folder = '/home/carol/.config/postern'
    const file = `[GENERAL]\nport = 5800 / udp\n[SPA]\nrealm = far\n[CLIENT]\ndefault-user = 1\n[KEYS]\n1 = ${'C3'.repeat(32)}\n[RESOURCES]\n22 = port: 22 / timeout: 600\n`
    await machine.must(`runuser -u carol -- sh -c 'umask 077; mkdir -p ${folder}; cat >${folder}/postern.conf'`, {
      input: file,
    })
    await machine.must(`runuser -u carol -- sh -c 'echo ${lab.client.v4} 22 >${folder}/keepalive.conf'`)
    await carols('systemctl --user enable --now postern-keepalive postern-keepalive-once.timer')
    await poll('the one that stays has knocked', async () => (await lab.client.heard(5800)).length > 0)
    const known = (await lab.client.heard(5800)).length
    await carols('systemctl --user start postern-keepalive-once')
    await poll('so has the other', async () => (await lab.client.heard(5800)).length > known)
    expect(await carols('systemctl --user is-active postern-keepalive postern-keepalive-once.timer')).to.equal(
      'active\nactive\n',
    )
  })

  it('stays shut to strangers and keeps the lease through restart, stop, and the death of each process', async () => {
    await knock()
    const end = watched()
    await machine.must('systemctl restart postern')
    expect(await from(lab.client)).to.equal('open')
    // A slow machine takes longer for all of them than one lease lasts: each has its own.
    for (const [user, program] of [
      ['postern-listener', 'listener'],
      ['postern', 'monitor'],
      ['root', 'starter'],
    ] as const) {
      await knock()
      const before = await machine.must(`pgrep -u ${user} -f ${program}[.]`)
      await machine.must(`kill -KILL ${before}`)
      await poll(`another ${program}`, async () => {
        const { stdout } = await machine.run(`pgrep -u ${user} -f ${program}[.]`)
        return stdout !== '' && stdout !== before && (await isActive()) === 'active' && (await hears())
      })
      expect(await from(lab.client), program).to.equal('open')
    }
    await knock()
    await machine.must('systemctl stop postern')
    expect(await from(lab.client)).to.equal('open')
    await machine.must('systemctl start postern && posternd revoke ssh 198.18.1.2')
    expect(await from(lab.client)).to.equal('refused')
    await knock()
    expect([...(await end())]).to.deep.equal(['refused'])
  })

  it('accepts no knock for a while after a power cut: how far the last boot went nobody knows', async () => {
    await machine.cutPower()
    await machine.boot()
    await machine.isUp()
    await postern('knock', SERVER_NAME, 'ssh')
    await poll('refused, for the journal of replays is of another boot', async () => {
      return (await journal('POSTERN_EVENT=refused', 'POSTERN_REASON=untrusted', 'POSTERN_USER_NAME=alice')).length > 0
    })
    expect(await from(lab.client)).to.equal('refused')
    expect(await machine.must('posternd status')).to.match(/not trusted yet: knocks are refused for \d{3} s/)
  })

  it('a trial that nobody confirms leaves no gate behind a reboot', async () => {
    await machine.must(`posternd down && posternd trial 5m --address ${lab.client.v4} && systemctl start postern`)
    expect(await from(lab.stranger)).to.equal('refused')
    await machine.powerOff()
    await machine.boot()
    await machine.isUp()
    expect(await machine.must('systemctl list-units --failed --plain --no-legend')).to.match(
      /postern-gate.*\n.*postern\.service/,
    )
    expect(await from(lab.stranger)).to.equal('open')
  })

  it('is removed with its gate, and purged with all that was enabled', async () => {
    await machine.must('mkdir -p /var/lib/prometheus/node-exporter && systemctl enable --now postern-metrics.timer')
    await machine.must('posternd trial 5m --address 198.18.1.2 && dpkg --remove postern')
    expect(await from(lab.stranger)).to.equal('open')
    expect(await tables()).to.not.include('postern')
    expect(await machine.must('systemctl list-units --failed --no-legend')).to.not.include('metrics')
    await machine.must('dpkg --purge postern')
    expect(await machine.must("find /etc/systemd/system /usr/lib/systemd -name 'postern*'")).to.equal('')
  })
}

const DROP_IN = '/etc/systemd/system/postern.service.d/letmein.conf'
/** What systemd-suspend.service is, but that the machine does not sleep: it waits for the morning. */
const NAP = `[Unit]
DefaultDependencies=no
Requires=sleep.target
After=sleep.target
[Service]
Type=oneshot
ExecStart=sh -c 'while [ ! -e /run/morning ]; do sleep 0.1; done'
`
const HOME_OF = ({ folder }: Lab) => ({ HOME: folder, XDG_CONFIG_HOME: '', POSTERN_CONFIG: '' })
