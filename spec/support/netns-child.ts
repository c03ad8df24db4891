/**
 * Runs one exported function of a module in a network namespace of its own, behind lib/daemon/opener.pl, and gives back
 * what it returned. As root, or as an ordinary user who may make user namespaces; the machine's own firewall is out of reach.
 */
import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

const opener = fileURLToPath(new URL('../../lib/daemon/opener.pl', import.meta.url))

/** Privileged first: within a user namespace that has its capabilities already, that is the one that works. */
const WAYS = [['--net'], ['--user', '--map-root-user', '--net']]

let way: Promise<readonly string[]> | undefined

async function findWay(): Promise<readonly string[]> {
  for (const options of WAYS) {
    const works = await run('unshare', [...options, 'true']).then(
      () => true,
      () => false,
    )
    if (works) return options
  }
  throw new Error('unshare --net: expected root, or an ordinary user who may make user namespaces')
}

export interface NamespaceOptions {
  readonly sockets?: readonly ('--events' | '--log')[]
  /** The function runs without any capability; the sockets were opened with all. */
  readonly unprivileged?: boolean
}

/** What `module`'s export `name` returned (as JSON can say it), called in there with a NetlinkLab (netns-program.ts). */
export async function inNamespace<T>(module: URL, name: string, options: NamespaceOptions = {}): Promise<T> {
  way ??= findWay()
  const program = fileURLToPath(new URL('./netns-program.ts', import.meta.url))
  const lowered = options.unprivileged
    ? ['setpriv', '--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all']
    : []
  const node = [process.execPath, '--import', 'tsx', program, module.href, name]
  const argv = [...(await way), 'perl', opener, ...(options.sockets ?? []), ...lowered, ...node]
  const { stdout } = await run('unshare', argv, { cwd: root, maxBuffer: 1 << 26 }).catch(
    (error: { stderr: string }) => {
      throw new Error(`in the namespace: ${error.stderr}`)
    },
  )
  return JSON.parse(stdout)
}

/** How `perl opener.pl …` ended in a namespace of its own. */
export async function openerInNamespace(...words: readonly string[]) {
  way ??= findWay()
  return spawnSync('unshare', [...(await way), 'perl', opener, ...words], { encoding: 'utf8' })
}
