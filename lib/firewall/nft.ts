/**
 * Runs the nft program: an argument array, no shell, the ruleset on stdin. Only for whole rulesets, which are rare; elements
 * go over netlink. It waits for the program: what is loaded is in force when `load` returns.
 */
import { spawnSync } from 'node:child_process'
import { FirewallError } from './types.js'

/** The nft program, as far as the rule manager needs it. Everything throws FirewallError. */
export interface Nft {
  /** Whether the text could be loaded now; changes nothing. */
  check(text: string): void
  /** One transaction: all of the text or nothing. */
  load(text: string): void
  /** Handles and comments of a chain's rules, in their order. Throws FirewallError('no-chain') where it is not there. */
  rules(family: string, table: string, chain: string): NftRule[]
}

export interface NftRule {
  readonly handle: number
  readonly comment?: string
}

const TIMEOUT_MS = 30_000
const LONGEST_OUTPUT_BYTES = 64 << 20

/** `program`: its name, looked up in PATH, or its path. */
export function nftProgram(program: string): Nft {
  const run = (args: readonly string[], input?: string) => runNft(program, args, input)
  return {
    check(text) {
      run(['-c', '-f', '-'], text)
    },
    load(text) {
      run(['-f', '-'], text)
    },
    rules: (family, table, chain) => parseRules(run(['-j', 'list', 'chain', family, table, chain])),
  }
}

/** The whole ruleset of this host as JSON, without the elements of its sets, which may be huge. Throws FirewallError. */
export function listRuleset(program: string): string {
  return runNft(program, ['-j', '-t', 'list', 'ruleset'])
}

/** The same as an administrator reads it. Throws FirewallError. */
export function printRuleset(program: string): string {
  return runNft(program, ['-t', 'list', 'ruleset'])
}

function runNft(program: string, args: readonly string[], input = ''): string {
  const { PATH = '/usr/sbin:/usr/bin:/sbin:/bin' } = process.env
  const { error, status, signal, stdout, stderr } = spawnSync(program, args, {
    input,
    encoding: 'utf8',
    env: { PATH, LC_ALL: 'C', HOME: '/nonexistent' },
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: LONGEST_OUTPUT_BYTES,
  })
  if (error !== undefined) throw startError(program, error as NodeJS.ErrnoException)
  if (status !== 0) throw refusal(program, signal ?? `exit ${status}`, stderr)
  return stdout
}

function startError(program: string, error: NodeJS.ErrnoException): FirewallError {
  if (error.code === 'ENOENT')
    return new FirewallError('missing', `${program}: no such program: install nftables, or name it in [NFTABLES] exe`)
  if (error.code === 'EACCES') return new FirewallError('permission', `${program}: not allowed to run it`)
  if (error.code === 'ETIMEDOUT')
    return new FirewallError('busy', `${program}: expected it to end within ${TIMEOUT_MS / 1000} s`)
  return new FirewallError('nft', `${program}: ${error.code ?? error.message}`)
}

/** What nft said, as one line; raw keys in it (tags, tokens) are taken out. */
function refusal(program: string, how: string, stderr: string): FirewallError {
  const said = stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^[\s^~]*$/.test(line))
    .slice(0, 3)
    .map((line) => line.trim())
    .join(' | ')
    .replace(/0x[0-9a-f]{9,}/gi, '0x…')
    .slice(0, 500)
  const text = `${program}: ${how}: ${said || 'no reason given'}`
  if (/Operation not permitted|you must be root/.test(stderr))
    return new FirewallError('permission', `${text}: expected CAP_NET_ADMIN`)
  if (/Too many open files in system/.test(stderr)) return new FirewallError('full', text)
  if (/Device or resource busy/.test(stderr)) return new FirewallError('busy', text)
  if (/No such file or directory/.test(stderr)) return new FirewallError('no-chain', text)
  return new FirewallError('nft', text)
}

function parseRules(json: string): NftRule[] {
  const { nftables } = JSON.parse(json) as { nftables: { rule?: { handle: number; comment?: string } }[] }
  return nftables.flatMap(({ rule }) =>
    rule === undefined
      ? []
      : [{ handle: rule.handle, ...(rule.comment === undefined ? {} : { comment: rule.comment }) }],
  )
}
