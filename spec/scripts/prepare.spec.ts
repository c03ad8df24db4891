import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { poll } from '../support/poll.js'

/** Says that it was begun, and takes its time over what it installs. (`exec`: while dash starts a program it can miss a signal.) */
const APT_GET =
  '#!/bin/sh\n[ "$1" = update ] || { ls /usr/sbin/policy-rc.d >"$BEGUN.ls" && mv "$BEGUN.ls" "$BEGUN"; exec sleep 60; }\n'

describe('scripts/prepare, broken off while it installs', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'prepare-'))
    writeFileSync(join(folder, 'apt-get'), APT_GET, { mode: 0o755 })
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    it(`leaves nothing that would keep services from being started: ${signal}`, async () => {
      const begun = join(folder, 'begun')
      const install = "sh -euc '. scripts/prepare; need no-such-program:no-such-package' test"
      const script = `mount -t tmpfs tmpfs /usr/sbin; trap : INT TERM; ${install}; echo "status $?"; find /usr/sbin "$TMPDIR" -type f`
      const env = {
        ...process.env,
        PATH: `${folder}:${process.env['PATH']}`,
        BEGUN: begun,
        TMPDIR: join(folder, 'tmp'),
      }
      // Root, whoever runs this: an ordinary user would be told what to install.
      const words = ['--map-root-user', '--mount', 'sh', '-uc', `mkdir -p "$TMPDIR"; ${script}`]
      const child = spawn('unshare', words, { env, detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
      let said = ''
      child.stdout.on('data', (chunk) => {
        said += chunk
      })
      const ended = once(child, 'close')
      await poll('apt-get runs, and services may not be started', () => existsSync(begun))
      process.kill(-child.pid!, signal)
      await ended
      expect(said).to.equal('status 130\n')
    })
})
