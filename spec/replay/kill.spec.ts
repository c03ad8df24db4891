import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const PROGRAM = fileURLToPath(new URL('./admitting-process.ts', import.meta.url))
const KILLS = 20

/** Its lines until it was killed, which happens when so many have come; whole ones only. */
function admitUntilKilled(path: string, first: number, killAfterLines: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const argv = ['--import', 'tsx', PROGRAM, path, String(first), '1000000', '128']
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    let lines = 0
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      for (const byte of chunk) if (byte === 10) lines++
      if (lines >= killAfterLines) child.kill('SIGKILL')
    })
    child.on('error', reject)
    child.on('close', () => resolve(text.split('\n').slice(0, -1)))
  })
}

describe('a real process that is killed -9 while it admits', () => {
  let path: string
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'postern-kill-'))
  })
  afterEach(() => rmSync(path, { recursive: true, force: true }))

  it('accepts nothing twice over twenty kills, and its journal stays trusted', async function () {
    this.timeout(120_000)
    const accepted = new Set<number>()
    let next = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const [state, ...lines] = await admitUntilKilled(path, next, 1 + ((kill * 137) % 700))
      if (kill > 0) expect(state).to.equal('trusted')
      for (const line of lines) {
        const number = Number(line)
        expect(number, line).to.satisfy(Number.isInteger)
        expect(accepted.has(number), `${number} accepted twice`).to.equal(false)
        accepted.add(number)
        next = Math.max(next, number + 1)
      }
    }
    expect(accepted.size).to.be.greaterThan(2000)
    expect(readdirSync(path).length).to.be.greaterThan(10)
  })

  it('on a disk that is full says so, accepts what was written down, and nothing twice', function () {
    this.timeout(60_000)
    // A tmpfs of 24 pages in a mount namespace of our own; as an ordinary user in a user namespace of our own too.
    const unshare = process.geteuid!() === 0 ? ['-m'] : ['--user', '--map-root-user', '-m']
    const script =
      'mount -t tmpfs -o size=98304,mode=0700 none "$1" && mkdir "$1/j" && ' +
      '"$2" --import tsx "$3" "$1/j" 0 5000 256 && "$2" --import tsx "$3" "$1/j" 1900 3000 256'
    const argv = [...unshare, '--', 'sh', '-c', script, 'sh', path, process.execPath, PROGRAM]
    const { status, stdout, stderr } = spawnSync('unshare', argv, { encoding: 'latin1' })
    expect(status, stderr).to.equal(0)
    const lines = stdout.split('\n')
    const numbers = lines.filter((line) => /^\d+$/.test(line)).map(Number)
    expect(numbers.length).to.be.within(800, 1536)
    expect(new Set(numbers).size).to.equal(numbers.length)
    expect(lines.filter((line) => line === 'journal').length).to.be.greaterThan(3000)
    expect(lines[0]).to.contain('there is none')
    expect(lines.filter((line) => line === 'trusted').length).to.equal(1)
  })
})
