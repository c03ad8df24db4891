/** Makes the client without Node for the targets that were asked for; see scripts/client-binary. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { bunFor, isTarget, TARGETS, type Target, thisTarget } from './bun.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'dist/client')

/** Modules of Node's that Bun is slow to load (node:net 4 ms, node:crypto 5, of a knock's 13) are loaded when one of their functions is called. */
const LAZY = ['node:child_process', 'node:crypto', 'node:net', 'node:readline/promises']

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

/** One CommonJS script: Bun compiles such a one to bytecode, which it cannot with yargs' own import.meta. */
async function bundle(file: string): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  await build({
    absWorkingDir: root,
    entryPoints: ['lib/cli/postern-alone.ts'],
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: [...builtinModules],
    legalComments: 'none',
    logLevel: 'warning',
    supported: { 'dynamic-import': false },
    // For yargs, which asks where it lies to find translations of its own.
    define: { POSTERN_VERSION: JSON.stringify(version), 'import.meta.url': JSON.stringify('file:///postern') },
    plugins: [lazyModules, bunCrypto],
  })
}

/** The program for one target out of the script. It reads nothing of the folder it is called in: no .env, no bunfig.toml. */
function compile(script: string, target: Target): string {
  const program = join(folder, `postern-${target}${target.startsWith('windows') ? '.exe' : ''}`)
  const words = [
    '--minify',
    '--bytecode',
    '--format=cjs',
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
  ]
  // A knock is over before code that was compiled anew has paid.
  words.push('--compile-jit-policy=100', `--target=bun-${target}`, `--compile-executable-path=${bunFor(target)}`)
  execFileSync(bunFor(thisTarget()), ['build', '--compile', ...words, script, '--outfile', program], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return program
}

const words = process.argv.slice(2)
const targets: readonly string[] = words.length === 0 ? [thisTarget()] : words.includes('all') ? TARGETS : words
const unknown = targets.filter((word) => !isTarget(word))
if (unknown.length > 0) {
  console.error(`scripts/client-binary: ${unknown.join(', ')}: expected all, ${TARGETS.join(', ')}`)
  process.exit(2)
}
// As old as its sources were when it was begun.
const started = new Date()
mkdirSync(folder, { recursive: true })
const script = join(folder, 'postern.cjs')
await bundle(script)
for (const target of targets.filter(isTarget)) {
  const program = compile(script, target)
  console.log(`${program} (${Math.round(statSync(program).size / 1e6)} MB)`)
}
writeFileSync(join(folder, '.built'), '')
utimesSync(join(folder, '.built'), started, started)
