/**
 * A whole machine with systemd as process 1, in the network namespace of a laboratory's server: systemd-nspawn boots the Debian
 * that scripts/machine has made. What the machine writes lies in an overlay in the laboratory's folder and lasts over its
 * reboots. It needs the real root; nothing of it outlives the run but empty control groups, which the next one takes away.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Child } from './child.js'
import type { Lab } from './lab.js'
import type { Outcome, RunOptions } from './namespace.js'
import { poll } from './poll.js'

/** The Debian to boot; undefined: scripts/test made none, for it was not called by the real root. */
export const MACHINE = process.env['POSTERN_MACHINE'] || undefined

/** The programs of an administrator's login. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/**
 * Its network is that of whoever calls it. A process namespace around it, because what it boots would outlive it where it is killed.
 */
const NSPAWN =
  'unshare --pid --fork --kill-child --mount-proc systemd-nspawn --quiet --boot --register=no --keep-unit --machine=machine --network-namespace-path=/proc/self/ns/net --capability=CAP_NET_ADMIN'
const GROUPS = 'postern-machine-'

export class Machine {
  /** What the machine sees as `/`. */
  readonly root: string
  readonly #lab: Lab
  readonly #groups = `${GROUPS}${process.pid}`
  #nspawn: Child | undefined
  #leader: number | undefined

  /** Its disk, as the Debian is. */
  constructor(lab: Lab, debian: string) {
    this.#lab = lab
    this.root = join(lab.folder, 'machine')
    const [upper, work] = [join(lab.folder, 'machine.upper'), join(lab.folder, 'machine.work')]
    for (const path of [this.root, upper, work]) mkdirSync(path, { mode: 0o755 })
    const layers = `lowerdir=${debian},upperdir=${upper},workdir=${work}`
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', layers, this.root])
    sweepGroups()
  }

  /** Puts a file into its disk; gives its path there. */
  place(file: string): string {
    const path = `/root/${basename(file)}`
    copyFileSync(file, join(this.root, path))
    return path
  }

  /**
   * Boots it and returns at once: `isUp` waits. The kernel is the laboratory's, which knows of no reboot: what a machine's own
   * kernel would forget, its ruleset, is thrown away.
   */
  async boot(): Promise<void> {
    await this.#lab.server.must(['nft', 'flush', 'ruleset'])
    // systemd wants its control groups for itself; two machines in one would end each other's services.
    const enter = hierarchies().map((folder) => join(folder, this.#groups))
    for (const folder of enter) mkdirSync(folder, { recursive: true })
    const words = ['for group; do echo $$ >"$group/cgroup.procs"; done', `exec ${NSPAWN} --directory=${this.root}`]
    this.#nspawn = this.#lab.server.spawn(['sh', '-euc', words.join('\n'), 'sh', ...enter])
  }

  /** Waits until it has booted: all that is enabled was started, or has failed. */
  async isUp(): Promise<void> {
    const nspawn = this.#nspawn!
    this.#leader = await poll('process 1 of the machine', () => {
      if (!nspawn.running) throw new Error(nspawn.lines.join('\n'))
      return nspawn.descendants().find(isSystemd)
    })
    await poll('the machine is up', async () => {
      const { stdout } = await this.run('systemctl is-system-running --wait')
      return /running|degraded/.test(stdout)
    })
  }

  /** Shuts it down in order, as `poweroff` does. */
  async powerOff(): Promise<void> {
    await this.run('systemctl --no-block poweroff')
    await this.#nspawn!.exited
  }

  /** Every process of it is killed at once; nothing of it is told. */
  async cutPower(): Promise<void> {
    await this.#nspawn!.kill9()
    await poll('no process of the machine is left', () => !existsSync(`/proc/${this.#leader}`))
  }

  /** Shell words of the administrator in it. */
  run(words: string, { env, ...options }: RunOptions = {}): Promise<Outcome> {
    const said = Object.entries({ PATH, HOME: '/root', LANG: 'C.UTF-8', SYSTEMD_PAGER: '', ...env })
    const inside = ['nsenter', `--target=${this.#leader}`, '-m', '-u', '-i', '-n', '-p', '-r', '-w', '--']
    const clean = ['env', '-i', ...said.map(([name, value]) => `${name}=${value}`)]
    return this.#lab.server.run([...inside, ...clean, 'sh', '-c', words], options)
  }

  /** The same for words that have to succeed: what they print. */
  async must(words: string, options?: RunOptions): Promise<string> {
    const { status, stdout, stderr } = await this.run(words, options)
    if (status !== 0) throw new Error(`${words}: exit ${status}: ${stderr}${stdout}`)
    return stdout
  }

  /** Ends it, however it is. */
  async close(): Promise<void> {
    if (this.#nspawn?.running) await this.#nspawn.kill9()
    await poll('the disk of the machine is free', () => {
      execFileSync('umount', [this.root], { stdio: 'pipe' })
      return true
    })
    await poll('its control groups are empty', () => {
      sweepGroups()
      return hierarchies().every((folder) => !existsSync(join(folder, this.#groups)))
    })
  }
}

/** Whether this is process 1 of the machine, and systemd by now. */
function isSystemd(pid: number): boolean {
  const own = /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  return own && readFileSync(`/proc/${pid}/comm`, 'latin1') === 'systemd\n'
}

/** The control groups of this process in each hierarchy that systemd uses for itself: cgroup 2, beside it or alone the old one. */
function hierarchies(): string[] {
  const ours = readFileSync('/proc/self/cgroup', 'latin1').split('\n')
  const mounts = readFileSync('/proc/self/mountinfo', 'latin1').split('\n')
  const at = (path: RegExp, mount: RegExp) => {
    const [, below] = ours.map((line) => path.exec(line)).find((match) => match !== null) ?? []
    const [, point] = mounts.map((line) => mount.exec(line)).find((match) => match !== null) ?? []
    return below === undefined || point === undefined ? [] : [join(point, below)]
  }
  return [
    ...at(/^\d+:name=systemd:(.*)$/, /^\S+ \S+ \S+ \S+ (\S+) .* - cgroup \S+ .*\bname=systemd\b/),
    ...at(/^0::(.*)$/, /^\S+ \S+ \S+ \S+ (\S+) .* - cgroup2 /),
  ]
}

/** Takes away what machines left: groups with nobody in them. */
function sweepGroups(): void {
  for (const folder of hierarchies())
    for (const name of readdirSync(folder)) if (name.startsWith(GROUPS)) sweep(join(folder, name))
}

function sweep(group: string): void {
  for (const entry of readdirSync(group, { withFileTypes: true }))
    if (entry.isDirectory()) sweep(join(group, entry.name))
  try {
    rmdirSync(group)
  } catch {
    // Another run's machine is in it.
  }
}
