/**
 * Bun, which the client without Node is made of: one version, from the npm registry into a cache, held against the checksum
 * below. The `baseline` builds run on any 64-bit processor.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const VERSION = '1.4.5'

/** Package and checksum (Subresource Integrity, as package-lock.json has it) for each target. */
const PACKAGES = {
  'linux-x64': [
    'bun-linux-x64-baseline',
    'sha512-s8yMwYcFnnrA178gji0gZbkE2WVDej/Ti1x770oPfihxyRxSMNhGhiAQNXV53aDeraZxksdvKV/RAdQBCd0qPA==',
  ],
  'linux-x64-musl': [
    'bun-linux-x64-musl-baseline',
    'sha512-cWJhU8h0+MiUgpSt99sQhjxLIIosKEcKYdtKddohokUvAuN6jKOy7g7+QDTZTXtwHxz93wL3BX+L6wXVPDUH3A==',
  ],
  'linux-arm64': [
    'bun-linux-aarch64',
    'sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==',
  ],
  'linux-arm64-musl': [
    'bun-linux-aarch64-musl',
    'sha512-XCNc+WvvMAdNNb+OWTogpy+N9wm62fkVeEVLb6how0RZhW5LPi6c7BlkeVCuWps7XjEl2saFpHFa20/1E+PAHg==',
  ],
  'darwin-x64': [
    'bun-darwin-x64-baseline',
    'sha512-zqfLA5A4B+hYMh5WYzYSot3uZ06FzhdP0OEwQisEzdirYtXGj5cQFlfy31BGfNsAsk1Gd/w/OxJ/jqqJ3cMclw==',
  ],
  'darwin-arm64': [
    'bun-darwin-aarch64',
    'sha512-4MIFXHmctH2EhAxLXm2/qxNtv17dFtLJylvaOCsrgq6KSqHTs6eW5YSrJjRbJxYUJaR901fsN8JfZOa+CsWpWQ==',
  ],
  'windows-x64': [
    'bun-windows-x64-baseline',
    'sha512-/U3Dc74uGqE6EUqef7mPtg9KwJs7iJH4JHRMfIZIn18MrJh6Xz4gVvWDXRvzCL2j8wPlTnJVyrO4n7Qq4uM7TQ==',
  ],
  'windows-arm64': [
    'bun-windows-aarch64',
    'sha512-MiPFZnBNDnBXgr1oONc5pizC4fOLjnIOfNkYdFEnWzLmoFTg86naZIG3SvS7d/GglpQSAnCKMAzSjI/TAckiRw==',
  ],
} as const

export type Target = keyof typeof PACKAGES
export const TARGETS = Object.keys(PACKAGES) as readonly Target[]

export function isTarget(word: string): word is Target {
  return Object.hasOwn(PACKAGES, word)
}

/** The target that this machine is. Throws where there is no Bun for it. */
export function thisTarget(): Target {
  const musl = existsSync('/etc/alpine-release') ? '-musl' : ''
  const target = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}${musl}`
  if (!isTarget(target)) throw new Error(`no Bun for ${target}: expected one of ${TARGETS.join(', ')}`)
  return target
}

/** The bun program of a target, fetched where it is not there yet. Throws where it is not the one that was pinned. */
export function bunFor(target: Target): string {
  const [name, integrity] = PACKAGES[target]
  const { POSTERN_CACHE = join(homedir(), '.cache/postern') } = process.env
  const all = join(POSTERN_CACHE, `bun-${VERSION}`)
  const folder = join(all, target)
  if (!existsSync(folder)) fetchBun(`@oven/${name}@${VERSION}`, integrity, all, folder)
  return join(folder, 'bin', target.startsWith('windows') ? 'bun.exe' : 'bun')
}

/** Into a folder of its own first: whoever is broken off, or quicker, leaves nothing that is half. */
function fetchBun(wanted: string, integrity: string, all: string, folder: string): void {
  mkdirSync(all, { recursive: true })
  const fetching = mkdtempSync(join(all, 'fetching-'))
  try {
    console.error(`Fetching ${wanted} into ${folder} (once, 30–40 MB)`)
    execFileSync('npm', ['pack', '--silent', '--pack-destination', fetching, wanted], {
      cwd: fetching,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const tarball = join(fetching, readdirSync(fetching)[0]!)
    const found = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
    if (found !== integrity) throw new Error(`${wanted}: its checksum is ${found}: expected ${integrity}`)
    execFileSync('tar', ['-xzf', tarball, '-C', fetching])
    if (!existsSync(folder)) renameSync(join(fetching, 'package'), folder)
  } finally {
    rmSync(fetching, { recursive: true })
  }
}
