/** A real sshd on port 22 of a laboratory's server, and a client's configuration with a key that it takes. */
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Child } from '../spec/support/child.js'
import type { Lab } from '../spec/support/lab.js'

const SSHD = '/usr/sbin/sshd'

/** Its files are in the laboratory's folder; `ssh -F <folder>/ssh_config` logs in as whoever runs this. */
export async function startSshd({ server, folder }: Pick<Lab, 'server' | 'folder'>): Promise<Child> {
  for (const name of ['host_key', 'user_key'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)])
  copyFileSync(join(folder, 'user_key.pub'), join(folder, 'authorized_keys'))
  writeFileSync(
    join(folder, 'sshd_config'),
    `Port 22
HostKey ${folder}/host_key
AuthorizedKeysFile ${folder}/authorized_keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
Subsystem sftp internal-sftp
`,
  )
  writeFileSync(
    join(folder, 'ssh_config'),
    `IdentityFile ${folder}/user_key
IdentitiesOnly yes
UserKnownHostsFile /dev/null
StrictHostKeyChecking no
BatchMode yes
ConnectTimeout 3
LogLevel ERROR
`,
  )
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  unlockAccount(folder)
  const options = ['-f', join(folder, 'sshd_config')]
  // OpenSSH 9.8 and later turn away who often connects without logging in, as the demo does to see whether the port is open.
  const lenient = [...options, '-o', 'PerSourcePenalties=no']
  const knowsPenalties = spawnSync(SSHD, ['-t', ...lenient]).status === 0
  const sshd = server.spawn([SSHD, '-D', '-e', ...(knowsPenalties ? lenient : options)])
  await sshd.waitLine(/listening on :: port 22/)
  return sshd
}

/** Without PAM sshd refuses accounts whose password is locked, as root's often is. Here, and only here, it is not. */
function unlockAccount(folder: string): void {
  const text = `${userInfo().username}:*:20000:0:99999:7:::\n`
  // A second sshd finds it done.
  if (readable('/etc/shadow') === text) return
  const shadow = join(folder, 'shadow')
  writeFileSync(shadow, text, { mode: 0o600 })
  execFileSync('mount', ['--bind', shadow, '/etc/shadow'])
}

/** The machine's own is not to be read by an ordinary user, not even in a user namespace that has his uid alone. */
function readable(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
