/** What a host has that matters before its ports are guarded. Reads files only; what is not there is not found. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readListeningPorts } from '../listening-ports.js'

export interface Survey {
  /** TCP ports that sshd has; the one that this login came by first. Never empty. */
  readonly sshPorts: readonly number[]
  /** The login is over ssh. */
  readonly isRemote: boolean
  /** Sentences on what else sits in the way, and what that means. */
  readonly notes: readonly string[]
  readonly hasSystemd: boolean
}

const SSH_PORT = 22

/** `root`: where the host's files are. `env`: whose SSH_CONNECTION says by which port the administrator came. */
export function survey(root: string, env: Readonly<Record<string, string | undefined>>): Survey {
  const at = (path: string) => join(root, path)
  const text = (path: string) => {
    try {
      return readFileSync(at(path), 'utf8')
    } catch {
      return ''
    }
  }
  const configured = sshdPorts(`${text('etc/ssh/sshd_config')}\n${included(at('etc/ssh/sshd_config.d'))}`)
  const { tcp: listening } = readListeningPorts(root)
  const heard = configured.filter((port) => listening.has(port))
  const own = Number(env['SSH_CONNECTION']?.split(' ')[3])
  const isRemote = Number.isInteger(own) && own > 0 && own <= 65_535
  const sshPorts = [...new Set([...(isRemote ? [own] : []), ...(heard.length > 0 ? heard : configured)])]
  return { sshPorts, isRemote, notes: notesOf(at, text), hasSystemd: existsSync(at('run/systemd/system')) }
}

/** The ports of sshd_config; 22 where it names none. */
export function sshdPorts(config: string): number[] {
  const ports = [...config.matchAll(/^[ \t]*Port[ \t]+([0-9]{1,5})[ \t]*$/gim)].map(([, port]) => Number(port))
  return ports.length > 0 ? [...new Set(ports)] : [SSH_PORT]
}

function included(folder: string): string {
  try {
    const files = readdirSync(folder).filter((name) => name.endsWith('.conf'))
    return files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n')
  } catch {
    return ''
  }
}

function notesOf(at: (path: string) => string, text: (path: string) => string): string[] {
  const isThere = (...paths: readonly string[]) => paths.some((path) => existsSync(at(path)))
  return [
    ...(/^\s*ENABLED\s*=\s*yes/im.test(text('etc/ufw/ufw.conf'))
      ? ['ufw is on. What has a lease goes on to it, so it must allow the guarded ports: ufw allow 22/tcp, and so on']
      : []),
    ...(isThere('run/firewalld', 'run/firewalld.pid')
      ? [
          'firewalld is on. What has a lease goes on to it, so it must allow the guarded ports: firewall-cmd --add-service=ssh',
        ]
      : []),
    ...(isThere('run/docker.sock')
      ? [
          'docker runs. Ports that it publishes can be guarded like any other; containers that are routed to by their own address need [FIREWALL] guard-forward',
        ]
      : []),
    // Debian's package brings such a file that nobody loads, until its unit is enabled.
    ...(/^\s*flush\s+ruleset/m.test(text('etc/nftables.conf')) &&
    (!isThere('run/systemd/system') || isThere('etc/systemd/system/sysinit.target.wants/nftables.service'))
      ? [
          '/etc/nftables.conf flushes the whole ruleset when it is loaded: postern puts its part back within a moment; it must allow the guarded ports, too, if it drops by policy',
        ]
      : []),
    ...(isThere('opt/letmein/etc/letmeind.conf')
      ? ['letmein is configured here: posternd import letmein --write takes it over instead, keys and all']
      : []),
    ...(isThere('etc/fwknop/access.conf')
      ? ['fwknop is configured here: posternd import fwknop says what can be taken over']
      : []),
  ]
}
