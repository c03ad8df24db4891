/**
 * The client as one file without Node (scripts/client-binary), held to the specs of the client that Node runs: they are run
 * again with POSTERN_CLIENT, on this machine's kind of system.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { TARGETS, thisTarget } from '../../scripts/bun.js'
import { CONFIG, Home, ROOT } from '../cli/program.js'
import { ALONE } from '../support/client.js'

const run = promisify(execFile)
const PROGRAM = join(ROOT, 'dist/client', `postern-${thisTarget()}`)

/** Specs whose client is bin/postern or what POSTERN_CLIENT names, by folder. */
const SUITES: Readonly<Record<string, RegExp>> = {
  cli: /^(add|connect|fwknop|keepalive|letmein|postern|refusals|ssh-config)\.spec\.ts$/,
  e2e: /^(knock|instant|ssh)\.spec\.ts$/,
  interop: /^postern-(auto|letmeind|fwknopd|fwknopd-packets)\.spec\.ts$/,
}

/** Another clock by Node's --require. */
const OF_NODE_ALONE = 'its clock is an hour behind'

interface Report {
  readonly stats: { readonly passes: number; readonly failures: number }
  readonly failures: readonly { readonly fullTitle: string; readonly err: { readonly message: string } }[]
}

describe('the client without Node', () => {
  before(() => {
    expect(ALONE, 'it would run itself').to.equal(undefined)
    expect(existsSync(PROGRAM), `${PROGRAM} is made by scripts/client-binary, which scripts/test runs`).to.equal(true)
  })

  for (const [suite, pattern] of Object.entries(SUITES))
    it(`does what the specs of the client say: ${suite}`, async function () {
      this.timeout(600_000)
      const folder = join(ROOT, 'spec', suite)
      const files = readdirSync(folder)
        .filter((name) => pattern.test(name))
        .map((name) => join(folder, name))
      const { stats, failures } = await specs(files)
      expect(failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.message}`)).to.deep.equal([])
      expect(stats.passes).to.be.greaterThan(files.length)
    })

  it('sends and encrypts by Bun what the client of Node does', async () => {
    const words = ['node_modules/mocha/bin/mocha.js', '--no-config', '--exit', '--reporter', 'dot']
    const files = ['spec/client/send.spec.ts', 'spec/client/native-crypto.spec.ts']
    const asBun = { ...process.env, BUN_BE_BUN: '1' }
    const { stdout } = await run(PROGRAM, [...words, ...files], { cwd: ROOT, env: asBun }).catch((e) => e)
    expect(stdout).to.match(/^ {2}[1-9][0-9]+ passing/m)
    expect(stdout).not.to.match(/failing|pending/)
  }).timeout(60_000)

  it('needs nothing of the system but what every program has', async () => {
    const { stdout } = await run(PROGRAM, ['--version'], { env: { PATH: '/nonexistent' } })
    expect(stdout).to.match(/^\d+\.\d+\.\d+\n$/)
  })

  it('takes nothing from the folder it is called in', async () => {
    const home = new Home(CONFIG)
    const folder = mkdtempSync(join(home.folder, 'strange-'))
    writeFileSync(join(folder, '.env'), 'POSTERN_HOST=192.0.2.1\n')
    writeFileSync(join(folder, 'bunfig.toml'), 'preload = ["./loaded.js"]\n')
    writeFileSync(join(folder, 'loaded.js'), 'console.log("loaded")\n')
    mkdirSync(join(folder, 'node_modules'))
    const outcome = await run(PROGRAM, ['knock', '22'], { cwd: folder, env: { HOME: home.folder } }).catch((e) => e)
    expect(outcome.stderr).to.match(/HOST "22": expected a name/)
    expect(outcome.stdout).to.equal('')
    rmSync(home.folder, { recursive: true })
  })

  it('can be made for each system and processor', () => {
    const systems = ['linux-x64', 'linux-arm64', 'linux-x64-musl', 'linux-arm64-musl']
    expect(TARGETS).to.have.members([...systems, 'darwin-x64', 'darwin-arm64', 'windows-x64', 'windows-arm64'])
  })
})

/** What mocha says of these files when the client is the one file. */
async function specs(files: readonly string[]): Promise<Report> {
  const mocha = join(ROOT, 'node_modules/mocha/bin/mocha.js')
  const folder = mkdtempSync(join(process.env['TMPDIR'] ?? '/tmp', 'alone-'))
  const report = join(folder, 'report.json')
  const options = [
    '--exit',
    '--reporter',
    'json',
    '--reporter-option',
    `output=${report}`,
    '--grep',
    OF_NODE_ALONE,
    '--invert',
  ]
  try {
    await run(process.execPath, [mocha, ...options, ...files], {
      cwd: ROOT,
      env: { ...process.env, POSTERN_CLIENT: PROGRAM },
      maxBuffer: 1 << 26,
    }).catch((error: { code?: number; stderr?: string }) => {
      if (!existsSync(report)) throw new Error(`mocha: ${error.code}: ${error.stderr}`)
    })
    return JSON.parse(readFileSync(report, 'utf8')) as Report
  } finally {
    rmSync(folder, { recursive: true })
  }
}
