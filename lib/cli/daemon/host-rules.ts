/** This host's own rules and addresses, as its programs list them. */
import { execFileSync } from 'node:child_process'
import { FirewallError } from '../../firewall/types.js'
import type { Protocol } from '../../stealth/look.js'
import type { HostAddress } from './ruleset-copy.js'

interface Listed {
  readonly ifname: string
  readonly flags: readonly string[]
  readonly addr_info: readonly { readonly family: string; readonly local: string; readonly scope: string }[]
}

/** The addresses, one a family, of the device that the world comes in by; and the names of the other devices. */
export function hostAddresses(): { addresses: HostAddress[]; others: string[] } {
  const devices = JSON.parse(list('ip', '-j', 'address')) as Listed[]
  const routes = JSON.parse(list('ip', '-j', 'route', 'show', 'default')) as { readonly dev?: string }[]
  const outer = devices.filter(({ flags }) => !flags.includes('LOOPBACK'))
  const globalOf = (device: Listed) => device.addr_info.filter(({ scope }) => scope === 'global')
  const device = outer.find(({ ifname }) => ifname === routes[0]?.dev) ?? outer.find((one) => globalOf(one).length > 0)
  const others = outer.filter((one) => one !== device).map(({ ifname }) => ifname)
  if (device === undefined) return { addresses: [], others }
  const found = globalOf(device)
  const addresses = ([4, 6] as const).flatMap((family) => {
    const one = found.find((info) => info.family === (family === 4 ? 'inet' : 'inet6'))
    return one === undefined ? [] : [{ device: device.ifname, family, address: one.local }]
  })
  return { addresses, others }
}

/** The host's rules without postern's own table, as nft lists them; `nft` is the program. */
export function hostRules(nft: string, ownTable: string): string {
  const tables = list(nft, 'list', 'tables')
    .split('\n')
    .filter((line) => line !== '' && line !== `table inet ${ownTable}`)
  return tables.map((line) => list(nft, 'list', ...line.split(' '))).join('\n')
}

/** Commands that delete the rules which name this port, found in what `nft -a list ruleset` says. */
export function rulesNaming(protocol: Protocol, port: number, listing: string, ownTable: string): string[] {
  let table = ''
  let chain = ''
  return listing.split('\n').flatMap((line) => {
    const head = /^\s*(table|chain) (.+?) \{/.exec(line)
    if (head?.[1] === 'table') table = head[2]!
    if (head?.[1] === 'chain') chain = head[2]!
    const [, rule, handle] = /^\s*(.*?) # handle (\d+)$/.exec(line) ?? []
    if (head !== null || rule === undefined || table === `inet ${ownTable}` || table.endsWith(' postern_hides'))
      return []
    const named = new RegExp(`(?:${protocol}|th) dport (?:\\{[^}]*\\b${port}\\b[^}]*\\}|${port}\\b)`).test(rule)
    return named ? [`nft delete rule ${table} ${chain} handle ${handle}`] : []
  })
}

/** The whole ruleset with handles. */
export function listing(nft: string): string {
  return list(nft, '-a', 'list', 'ruleset')
}

function list(program: string, ...argv: readonly string[]): string {
  try {
    return execFileSync(program, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 << 20 })
  } catch (error) {
    const { code, stderr = '' } = error as { code?: string; stderr?: string }
    if (code === 'ENOENT') throw new FirewallError('missing', `${program} is not installed`, { cause: error })
    throw new FirewallError('permission', `${program}: ${stderr.trim().split('\n')[0]}: run as root`, { cause: error })
  }
}
