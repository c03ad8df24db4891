/**
 * This host's firewall once more, in a network namespace of its own, and a stranger's namespace beside it: what is tried there
 * touches neither the host's network nor its rules, and is gone with the two processes that hold the namespaces. Interfaces have
 * the host's names, since rules go by them.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { FirewallError } from '../../firewall/types.js'

/** Documentation addresses (RFC 5737, RFC 3849): nobody's, and of no network of this host's. */
const STRANGER = { 4: '203.0.113.77', 6: '2001:db8::77' } as const
/** A copy that was forgotten ends by itself. */
const LONGEST_SECONDS = '120'
const READY_MS = 2_000

export interface HostAddress {
  readonly device: string
  readonly family: 4 | 6
  readonly address: string
}

export class RulesetCopy {
  readonly #host: ChildProcess
  readonly #stranger: ChildProcess

  private constructor(host: ChildProcess, stranger: ChildProcess) {
    this.#host = host
    this.#stranger = stranger
  }

  /** Both namespaces, connected by the device that has `addresses`, without rules. Throws FirewallError. */
  static async make(addresses: readonly HostAddress[], otherDevices: readonly string[]): Promise<RulesetCopy> {
    const copy = new RulesetCopy(await holder(), await holder())
    try {
      copy.#connect(addresses, otherDevices)
    } catch (error) {
      copy.close()
      throw error
    }
    return copy
  }

  /** Runs a program where the copied rules are, with this text as its input: its output. Throws FirewallError. */
  run(argv: readonly string[], input = ''): string {
    return inside(this.#host, argv, input)
  }

  /** Runs a program where the stranger is: its output, whatever its exit code. */
  asStranger(argv: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      execFile('nsenter', [...into(this.#stranger), ...argv], (error, stdout, stderr) => {
        if (stdout !== '') resolve(stdout)
        else reject(new FirewallError('kernel', `in the copy: ${stderr.trim()}`, { cause: error }))
      })
    })
  }

  close(): void {
    this.#host.kill('SIGKILL')
    this.#stranger.kill('SIGKILL')
  }

  #connect(addresses: readonly HostAddress[], otherDevices: readonly string[]): void {
    const device = addresses[0]!.device
    const settings = ['net.ipv6.conf.all.disable_ipv6=0', 'net.ipv6.conf.default.disable_ipv6=0']
    // Counting answers must not depend on the clock here.
    const limits = ['net.ipv4.icmp_ratelimit=0', 'net.ipv6.icmp.ratelimit=0']
    try {
      this.run(['sysctl', '-qew', ...settings, ...limits])
    } catch (error) {
      // Containers mostly have /proc/sys read-only, also for a namespace that they made themselves.
      const why = `${(error as Error).message}: expected a machine, or a container that may write to /proc/sys; from another machine postern probe shows the same`
      throw new FirewallError('permission', why, { cause: error })
    }
    inside(this.#stranger, ['sysctl', '-qew', ...settings], '')
    const own = addresses.map(
      ({ family, address }) =>
        `address add ${address} peer ${STRANGER[family]} dev ${device}${family === 6 ? ' nodad' : ''}`,
    )
    const theirs = addresses.map(
      ({ family, address }) =>
        `address add ${STRANGER[family]} peer ${address} dev host${family === 6 ? ' nodad' : ''}`,
    )
    this.#ip([
      'link set lo up',
      ...otherDevices.map((name, i) => `link add ${name} type veth peer name end-${i}`),
      `link add ${device} type veth peer name host netns ${this.#stranger.pid}`,
      `link set ${device} addrgenmode none up`,
      ...own,
    ])
    inside(this.#stranger, ['ip', '-batch', '-'], `${['link set host addrgenmode none up', ...theirs].join('\n')}\n`)
  }

  #ip(commands: readonly string[]): void {
    this.run(['ip', '-batch', '-'], `${commands.join('\n')}\n`)
  }
}

/** A process that does nothing in a network namespace of its own, and ends with this one. */
async function holder(): Promise<ChildProcess> {
  const argv = ['--pdeathsig', 'KILL', '--', 'unshare', '--net', 'sleep', LONGEST_SECONDS]
  const child = spawn('setpriv', argv, { stdio: 'ignore' })
  child.on('error', () => {})
  const outside = readlinkSync('/proc/self/ns/net')
  for (const end = performance.now() + READY_MS; performance.now() < end; await pause(5)) {
    if (child.pid === undefined || child.exitCode !== null) break
    if (readlinkSync(`/proc/${child.pid}/ns/net`) !== outside) return child
  }
  child.kill('SIGKILL')
  throw new FirewallError('permission', 'no network namespace can be made: run as root')
}

function into({ pid }: ChildProcess): string[] {
  return [`--net=/proc/${pid}/ns/net`, '--']
}

function inside(child: ChildProcess, argv: readonly string[], input: string): string {
  try {
    return execFileSync('nsenter', [...into(child), ...argv], {
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
      maxBuffer: 64 << 20,
    })
  } catch (error) {
    const { stderr = '', code } = error as { stderr?: string; code?: string }
    const why = code === 'ENOENT' ? 'nsenter is not installed (util-linux)' : stderr.trim().split('\n')[0]
    throw new FirewallError('nft', `${argv[0]}: ${why}`, { cause: error })
  }
}
