/**
 * Makes the programs in dist/programs out of lib: one file each, so that a start reads one file. Run by `npm run build`;
 * with names (`node scripts/bundle.js postern postern-words`) it makes only those.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'dist/programs')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  define: { POSTERN_VERSION: JSON.stringify(version) },
  legalComments: 'none',
  logLevel: 'warning',
}

/**
 * Puts node:crypto in noble's place; a function that native-crypto.ts lacks fails the build. Not for fwknop's packet, which is
 * made by noble alone, and whose modules nothing but such a knock runs.
 */
const nativeCrypto = {
  name: 'native-crypto',
  setup({ onResolve }) {
    onResolve({ filter: /^@noble\// }, ({ importer }) =>
      /\/lib\/wire\/fwknop[^/]*$/.test(importer) ? undefined : { path: join(root, 'lib/client/native-crypto.ts') },
    )
  },
}

/**
 * The client's quick way. A script starts 10 ms sooner than an ES module. Its import() of Node's own modules becomes
 * require(), which does not start the loader of ES modules.
 */
const quick = {
  ...common,
  entryPoints: ['lib/cli/postern.ts'],
  format: 'cjs',
  minify: true,
  write: false,
  external: ['dotenv'],
  supported: { 'dynamic-import': false },
  plugins: [nativeCrypto],
}

/** Writes the script that bin/postern runs, with its own hash at its end, and what V8 makes of it beside it. */
async function buildQuick() {
  const { outputFiles } = await build(quick)
  const body = `(function (module, require) {${outputFiles[0].text}})`
  const sourceId = createHash('sha256').update(body).digest('hex').slice(0, 16)
  const file = join(folder, 'postern.script.js')
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) if (name.startsWith('postern.script.js')) rmSync(join(folder, name))
  writeFileSync(file, `${body} // ${sourceId}\n`)
  const cache = `${file}.${sourceId}-${process.version}-${process.arch}`
  execFileSync(process.execPath, [join(root, 'scripts/precompile.js'), file, cache], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/**
 * ES modules, not minified: a stack trace can be read as it is, without source maps, which were two thirds of the package. What
 * they take of packages that are CommonJS wants a require().
 */
const modules = {
  ...common,
  format: 'esm',
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
}

const programs = {
  'postern-words': 'lib/cli/words.ts',
  'postern-keepalive': 'lib/cli/keepalive-main.ts',
  posternd: 'lib/cli/posternd.ts',
  monitor: 'lib/daemon/monitor-main.ts',
  listener: 'lib/daemon/listener-main.ts',
}

const wanted = process.argv.slice(2)
const isWanted = (name) => wanted.length === 0 || wanted.includes(name)

// What a build of another day left there would be shipped, too.
if (wanted.length === 0)
  for (const old of ['dist/programs', 'dist/lib']) rmSync(join(root, old), { recursive: true, force: true })
if (isWanted('postern')) await buildQuick()
for (const [name, entry] of Object.entries(programs)) {
  if (isWanted(name) && existsSync(join(root, entry)))
    await build({ ...modules, entryPoints: [entry], outfile: `dist/programs/${name}.js` })
}
