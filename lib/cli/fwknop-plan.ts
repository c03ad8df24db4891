/** Which host, stanza and keys of ~/.fwknoprc a knock by fwknop's packet means. Pure but for the files that are handed in. */
import type { FwknopAllow, FwknopErrand } from '../client/fwknop-perform.js'
import { literalOf } from '../client/resolve.js'
import { ConfigError } from '../config/error.js'
import { type FwknopClientSettings, findFwknopStanza, fwknopSettingLine, readFwknopRc } from '../config/fwknop-rc.js'
import type { ReferredFiles } from '../config/referred-files.js'
import type { Family } from '../wire/address.js'
import type { FwknopPort } from '../wire/fwknop-types.js'
import type { FwknopArguments } from './fwknop-arguments.js'
import type { KnockArguments } from './knock-arguments.js'
import { UsageError } from './usage.js'

/** fwknop's client cuts SPOOF_USER so. */
const MOST_SPOOF_BYTES = 29

export interface FwknopSource {
  /** How messages name the file. */
  readonly file: string
  /** undefined: there is none. */
  readonly text?: string
  readonly files: ReferredFiles
  /** [FWKNOP] stanza, where HOST means none. */
  readonly stanza?: string
  /** What is knocked at: as the command line calls it, and its address where the client's file has one for it. */
  readonly place?: { readonly name: string; readonly address: string } | undefined
  /** Where neither command line nor file names a user. */
  readonly username: string
}

export interface FwknopPlan {
  readonly errand: FwknopErrand
  /** `~/.fwknoprc [gate]`. */
  readonly keysFrom: string
  /** What counts of a setting: the line of the file; undefined: none says it. */
  readonly lineOf: (setting: string) => number | undefined
  readonly file: string
  readonly warnings: readonly string[]
}

/** Throws ConfigError where the file does not say enough, UsageError where an option cannot work. */
export function planFwknop(asked: KnockArguments, own: FwknopArguments, source: FwknopSource): FwknopPlan {
  const { rc, host } = stanzaFor(own.stanza, source)
  const keysFrom = rc.stanza === undefined ? source.file : `${source.file} [${rc.stanza}]`
  const warnings: string[] = [...rc.warnings]
  const { keys } = rc
  if (keys === undefined) throw keyless(keysFrom, source)
  if (keys.hmac === undefined)
    warnings.push(
      `${keysFrom}: no HMAC_KEY: fwknopd takes changed copies of such packets, and posternd refuses them: ` +
        'add HMAC_KEY_BASE64 here and to access.conf',
    )
  const ports = asked.access.length > 0 ? asked.access : rc.access
  if (ports.length === 0) throw new UsageError(`PORT is missing: name one, like tcp/22, or ACCESS in ${keysFrom}`)
  const sourcePort = own.sourcePort ?? rc.sourcePort
  const errand: FwknopErrand = {
    host,
    families: familiesOf(asked, host),
    identity: { keys, digest: rc.digestType, username: usernameOf(own, rc, source, warnings) },
    wish: { ports, timeoutSeconds: own.timeoutSeconds ?? rc.fwTimeout },
    allow: allowOf(own, rc, warnings),
    controlPort: own.controlPort ?? (rc.randPort ? 'any' : rc.port),
    timeOffsetMs: (own.timeOffsetSeconds ?? rc.timeOffsetSeconds) * 1000,
    tries: asked.tries,
    ...(sourcePort !== undefined && { sourcePort }),
    ...(asked.waitMs !== undefined && { wait: { ports: probedOf(ports), timeoutMs: asked.waitMs } }),
  }
  const { file, text = '' } = source
  const lineOf = (setting: string) => fwknopSettingLine(text, rc.stanza, setting)
  return { errand, keysFrom, lineOf, file, warnings }
}

/** HOST may be a stanza's name, which stands for its SPA_SERVER, or a SPA_SERVER, or any other host. */
function stanzaFor(named: string | undefined, source: FwknopSource): { rc: FwknopClientSettings; host: string } {
  const { file, text = '', files, place } = source
  const find = (host: string | undefined) => (host === undefined ? undefined : findFwknopStanza(text, file, host))
  const stanza = named ?? find(place?.name) ?? find(place?.address) ?? source.stanza
  const isStanzasName = place?.name.toLowerCase() === stanza?.toLowerCase() && place?.name === place?.address
  const own = isStanzasName ? undefined : place?.address
  const rc = readFwknopRc(text, file, stanza, { files, ...(own !== undefined && { host: own }) })
  const host = own ?? rc.server ?? place?.name
  if (host === undefined)
    throw new UsageError(`HOST is missing: name one, or SPA_SERVER in ${file}${stanza ? ` [${stanza}]` : ''}`)
  return { rc, host }
}

function keyless(keysFrom: string, { file, text }: FwknopSource): ConfigError {
  const message =
    text === undefined
      ? 'no such file: expected KEY_BASE64 and HMAC_KEY_BASE64 in it, as fwknop --key-gen --save-rc-stanza writes them'
      : 'no key: add KEY_BASE64 and HMAC_KEY_BASE64, the same as in access.conf, or name another section by --stanza'
  return new ConfigError([{ file: text === undefined ? file : keysFrom, line: 0, message }])
}

/** fwknopd has no IPv6: it is knocked at where that is asked for, or an IPv6 address is named. */
function familiesOf({ families, isEveryFamilyWanted }: KnockArguments, host: string): readonly Family[] {
  if (isEveryFamilyWanted || families.length === 1) return families
  return literalOf(host)?.family === 6 ? [6] : [4]
}

function usernameOf(
  { username }: FwknopArguments,
  { spoofUser }: FwknopClientSettings,
  source: FwknopSource,
  warnings: string[],
): string {
  const name = username ?? spoofUser
  if (name === undefined) return source.username
  const cut = name.slice(0, MOST_SPOOF_BYTES)
  if (cut !== name) {
    const where = username === undefined ? `${source.file}: SPOOF_USER` : '--spoof-user'
    warnings.push(`${where} is cut to its first ${MOST_SPOOF_BYTES} characters, "${cut}", as by fwknop`)
  }
  return cut
}

function allowOf(
  { allow, isResolved }: FwknopArguments,
  { allowIp, file }: FwknopClientSettings,
  warnings: string[],
): FwknopAllow {
  if (isResolved || (allow === undefined && allowIp === 'resolve'))
    warnings.push(
      `${isResolved ? '--address' : `${file}: ALLOW_IP`} resolve: no web service is asked: the packet says "source", and the server ` +
        'opens for the address that it comes from; where it has REQUIRE_SOURCE_ADDRESS, name yours by --address',
    )
  if (allow !== undefined) return allow
  const isAddress = allowIp !== undefined && allowIp !== 'source' && allowIp !== 'resolve'
  return isAddress ? { kind: 'address', address: allowIp } : { kind: 'source' }
}

/** The TCP ports that can be waited for. */
function probedOf(ports: readonly FwknopPort[]): number[] {
  const probed = new Set(ports.flatMap(({ protocol, port }) => (protocol === 'tcp' ? [port] : [])))
  if (probed.size > 0) return [...probed]
  throw new UsageError('--wait: UDP ports alone, which cannot be probed: leave --wait out')
}
