/** Makes the client without Node for the targets that were asked for; see scripts/client-binary. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { bunFor, isTarget, TARGETS, type Target, thisTarget } from './bun.js'
import { isSignedAsItIs, signedAdHoc } from './mach-o.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'dist/client')

/** Modules of Node's that Bun is slow to load (node:net 4 ms, node:crypto 5, of a knock's 13) are loaded when one of their functions is called. */
const LAZY = ['node:child_process', 'node:crypto', 'node:dgram', 'node:net', 'node:readline/promises']

/** Random bytes come from the runtime itself. */
const OWN = { randomFillSync: '(bytes) => globalThis.crypto.getRandomValues(bytes)' }

const lazyModules: Plugin = {
  name: 'lazy-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, namespace }) =>
      LAZY.includes(path) && namespace !== 'lazy' ? { path, namespace: 'lazy' } : { path, external: true },
    )
    onLoad({ filter: /.*/, namespace: 'lazy' }, async ({ path }) => {
      const own: Readonly<Record<string, string>> = OWN
      const functions = Object.entries(await import(path)).filter(([, value]) => typeof value === 'function')
      const lines = functions
        .filter(([name]) => /^[a-z]/.test(name))
        .map(([name]) => `export const ${name} = ${own[name] ?? `(...words) => require('${path}').${name}(...words)`}`)
      return { contents: lines.join('\n'), loader: 'js' }
    })
  },
}

/** Puts lib/client/bun-crypto.ts in noble's place, but for what that takes of noble itself. */
const bunCrypto: Plugin = {
  name: 'bun-crypto',
  setup({ onResolve }) {
    const stand = join(root, 'lib/client/bun-crypto.ts')
    onResolve({ filter: /^@noble\// }, ({ importer }) =>
      importer === stand || importer.includes('/@noble/') ? undefined : { path: stand },
    )
  },
}

/** Puts lib/client/bun-send.ts in send.ts's place, but for what that leaves to it. */
const bunSend: Plugin = {
  name: 'bun-send',
  setup({ onResolve }) {
    const stand = join(root, 'lib/client/bun-send.ts')
    onResolve({ filter: /^\.\/send\.js$/ }, ({ importer }) => (importer === stand ? undefined : { path: stand }))
  },
}

/** The slow way stays a script of its own: what is in the quick one's reach would all be wrapped to be loaded later. */
const wordsApart: Plugin = {
  name: 'words-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/words\.js$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './words.cjs', external: true } : undefined,
    )
  },
}

/** One CommonJS script: Bun compiles such a one to bytecode, which it cannot with yargs' own import.meta. */
async function bundle(entry: string, file: string): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: [...builtinModules],
    legalComments: 'none',
    logLevel: 'warning',
    supported: { 'dynamic-import': false },
    // For yargs, which asks where it lies to find translations of its own; Windows takes no path without a drive.
    define: { POSTERN_VERSION: JSON.stringify(version), 'import.meta.url': JSON.stringify('file:///C:/postern') },
    plugins: [wordsApart, lazyModules, bunCrypto, bunSend],
  })
}

/** The program for one target out of the script. It reads nothing of the folder it is called in: no .env, no bunfig.toml. */
function compile(script: string, target: Target, program: string, order: readonly string[] = []): void {
  const words = [
    '--minify',
    '--bytecode',
    '--format=cjs',
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
    ...order,
  ]
  // A knock is over before code that was compiled anew has paid.
  words.push('--compile-jit-policy=100', `--target=bun-${target}`, `--compile-executable-path=${bunFor(target)}`)
  execFileSync(bunFor(thisTarget()), ['build', '--compile', ...words, script, '--outfile', program], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/**
 * What a knock runs, as Bun tells it of one at a port of this machine's loopback: its bytecode then lies together, and is a
 * twelfth of a knock quicker to load. The words for the compiler.
 */
function orderOfKnock(script: string, scratch: string): string[] {
  const program = join(scratch, process.platform === 'win32' ? 'postern.exe' : 'postern')
  compile(script, thisTarget(), program)
  const config = join(scratch, 'postern.conf')
  const order = join(scratch, 'order')
  writeFileSync(
    config,
    `[SPA]\nrealm = order\n[CLIENT]\ndefault-user = 1\n[KEYS]\n1 = ${'5A'.repeat(32)}\n[RESOURCES]\n1 = port: 22\n`,
    { mode: 0o600 },
  )
  execFileSync(program, ['knock', '--config', config, '-P', '9', '127.0.0.1', '22'], {
    env: { HOME: scratch, BUN_BYTECODE_ORDER_OUT: order },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return [`--bytecode-order=${order}`]
}

/** macOS kills a program that is not as its signature says. */
function signForMac(program: string): void {
  const bytes = readFileSync(program)
  if (!isSignedAsItIs(bytes)) writeFileSync(program, signedAdHoc(bytes, 'postern'))
}

const words = process.argv.slice(2)
const targets: readonly string[] = words.length === 0 ? [thisTarget()] : words.includes('all') ? TARGETS : words
const unknown = targets.filter((word) => !isTarget(word))
if (unknown.length > 0) {
  console.error(`scripts/client-binary: ${unknown.join(', ')}: expected all, ${TARGETS.join(', ')}`)
  process.exit(2)
}
// What runs below ends by the same signal: then its folders are removed, as after any other failure.
process.on('SIGINT', () => process.exit(130))
// As old as its sources were when it was begun.
const started = new Date()
mkdirSync(folder, { recursive: true })
const script = join(folder, 'postern.cjs')
await bundle('lib/cli/postern-alone.ts', script)
await bundle('lib/cli/words.ts', join(folder, 'words.cjs'))
const scratch = mkdtempSync(join(tmpdir(), 'postern-order-'))
try {
  const order = orderOfKnock(script, scratch)
  for (const target of targets.filter(isTarget)) {
    const program = join(folder, `postern-${target}${target.startsWith('windows') ? '.exe' : ''}`)
    compile(script, target, program, order)
    if (target.startsWith('darwin')) signForMac(program)
    console.log(`${program} (${Math.round(statSync(program).size / 1e6)} MB)`)
  }
} finally {
  rmSync(scratch, { recursive: true })
}
// Says that this machine's own is there, which the specs run.
if (targets.includes(thisTarget())) {
  writeFileSync(join(folder, '.built'), '')
  utimesSync(join(folder, '.built'), started, started)
}
