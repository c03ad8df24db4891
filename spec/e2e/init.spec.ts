/**
 *     posternd init as root on a host with systemd: a copy of /etc lies over /etc, in a mount namespace of its own, so that the
 *     machine's is not touched; /run is the laboratory's. systemd itself does not run: its folder alone says that it does.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { HAS_ACCOUNTS } from '../support/accounts.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

describe('posternd init as root', () => {
  let folder: string
  before(function () {
    if (!HAS_ACCOUNTS) this.skip()
    folder = mkdtempSync('/run/init-')
  })
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true })
  })

  /** Runs a shell's words with that copy in place. */
  function onHost(words: string): string {
    const script = join(folder, 'host.sh')
    writeFileSync(
      script,
      `set -e
mkdir "$1/run" && cp -a /etc "$1/etc" && rm -rf "$1/etc/postern"
sed -i '/^postern/d' "$1/etc/passwd" "$1/etc/group" "$1/etc/shadow" "$1/etc/gshadow"
umount -q /etc/passwd /etc/group || true
mount --bind "$1/etc" /etc
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system
posternd=${join(ROOT, 'bin/posternd')}
${words}
`,
    )
    const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', script, folder, ROOT], {
      encoding: 'utf8',
    })
    expect(status, stdout + stderr).to.equal(0)
    return stdout + stderr
  }

  it('makes users, units and a file that the daemon may read and nobody else, and check finds it good', () => {
    const said = onHost(`
SSH_CONNECTION='192.0.2.7 4711 192.0.2.1 22' $posternd init --yes --host gate.example.org --user alice
stat -c '%U:%G %a' /etc/postern/posternd.conf
test -f /etc/systemd/system/postern.service && test -f /etc/systemd/system/postern-gate.service
id -u postern >/dev/null && id -u postern-listener >/dev/null
$posternd check
$posternd enroll bob >/dev/null
stat -c 'then %U:%G %a' /etc/postern/posternd.conf
$posternd init --yes 2>&1 && exit 9
true`)
    expect(said).to.include('Wrote /etc/postern/posternd.conf (root:postern, mode 640)')
    expect(said).to.match(/^root:postern 640$/m)
    expect(said).to.match(/^then root:postern 640$/m)
    expect(said).to.include('/etc/postern/posternd.conf: good').and.include('realm "gate.example.org"')
    expect(said).to.include('Nothing is guarded yet. Next (keep this login until you are in by another):')
    expect(said).to.include('posternd.conf is there: posternd enroll NAME adds a user to it')
    expect(said).to.not.include('warning: [')
  })
})
