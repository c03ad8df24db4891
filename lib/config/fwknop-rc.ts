/**
 * fwknop's client file, ~/.fwknoprc, read unchanged (docs/PROTOCOL.md, "fwknop: .fwknoprc"): [default], and on top of it one
 * named stanza. Names of stanzas have no case; other stanzas are not looked into. Files are handed in.
 */
import type { IpAddress } from '../wire/address.js'
import type { FwknopDigest, FwknopKeys, FwknopPort } from '../wire/fwknop-types.js'
import { ConfigError, Findings, quote } from './error.js'
import { rcKeys } from './fwknop-rc-keys.js'
import { type RcLine, type RcStanza, rcStanzas } from './fwknop-rc-lines.js'
import { RcReader } from './fwknop-rc-reader.js'
import { noFiles, type ReferredFiles } from './referred-files.js'

/** What a stanza says, as fwknop's command line would. */
export interface FwknopClientSettings {
  readonly file: string
  /** undefined: [default] alone. */
  readonly stanza?: string
  /** SPA_SERVER: name or IPv4 address. */
  readonly server?: string
  /** SPA_SERVER_PORT, where the packet goes to; RAND_PORT: a random one instead. UDP. */
  readonly port: number
  readonly randPort: boolean
  /** SPA_SOURCE_PORT; undefined: the system's choice. */
  readonly sourcePort?: number
  /** ACCESS; empty where it says none. */
  readonly access: readonly FwknopPort[]
  /** ALLOW_IP: `source` is 0.0.0.0, the datagram's; `resolve`: asked of a web server. undefined: it does not say. */
  readonly allowIp?: 'source' | 'resolve' | IpAddress
  /** RESOLVE_URL, and whether it is asked without TLS. */
  readonly resolve: { readonly url?: string; readonly https: boolean }
  /** FW_TIMEOUT, seconds; 0: the server's own. */
  readonly fwTimeout: number
  /** undefined: it names no key. */
  readonly keys?: FwknopKeys
  /** DIGEST_TYPE, of the packet's text. */
  readonly digestType: FwknopDigest
  /** TIME_OFFSET, added to the time that is sent. */
  readonly timeOffsetSeconds: number
  readonly spoofUser?: string
  /** Whole sentences with file and line. */
  readonly warnings: readonly string[]
}

export interface RcChoices {
  /** Key files of KEY_FILE are looked up for this host, which stands for SPA_SERVER. */
  readonly host?: string
  readonly files?: ReferredFiles
}

const DEFAULT = 'default'
const PORT = 62_201

/**
 * What [default] and the stanza of this name say; undefined: [default] alone. Throws ConfigError with all that is wrong: also
 * what postern does not do (GnuPG, NAT, other transports than UDP), by line.
 */
export function readFwknopRc(
  content: string,
  file: string,
  stanzaName: string | undefined,
  { host, files = noFiles }: RcChoices = {},
): FwknopClientSettings {
  const findings = new Findings(file)
  const stanzas = rcStanzas(content)
  const wanted = stanzaName?.toLowerCase()
  const named = stanzas.filter(({ name }) => name.toLowerCase() === wanted)
  if (wanted !== undefined && named.length === 0) throw noSuchStanza(file, stanzaName!, stanzas)
  // As fwknop reads them: [default] first, whichever comes first in the file.
  const read = [...stanzas.filter(({ name }) => name.toLowerCase() === DEFAULT), ...(wanted === DEFAULT ? [] : named)]
  const reader = new RcReader(
    read.flatMap(({ lines }) => [...lines]),
    findings,
  )
  const server = reader.text('SPA_SERVER')
  const said = settingsOf(reader)
  const keys = rcKeys(reader, host ?? server, files, findings)
  const warnings = findings.finish()
  return {
    file,
    ...(stanzaName === undefined ? {} : { stanza: named[0]!.name }),
    ...(server === undefined ? {} : { server }),
    ...said,
    ...(keys === undefined ? {} : { keys }),
    warnings,
  }
}

/**
 * The stanza that a host means: the one of this name, else the one whose SPA_SERVER it is; undefined: none. Throws ConfigError
 * where several have that SPA_SERVER.
 */
export function findFwknopStanza(content: string, file: string, host: string): string | undefined {
  const stanzas = rcStanzas(content).filter(({ name }) => name.toLowerCase() !== DEFAULT)
  const named = stanzas.find(({ name }) => name.toLowerCase() === host.toLowerCase())
  if (named !== undefined) return named.name
  const serves = (lines: readonly RcLine[]) => lines.findLast(({ name }) => name === 'SPA_SERVER')?.value
  const found = stanzas.filter(({ lines }) => serves(lines)?.toLowerCase() === host.toLowerCase())
  const names = [...new Set(found.map(({ name }) => name))]
  if (names.length < 2) return names[0]
  const message = `${quote(host)} is the SPA_SERVER of several stanzas: expected --stanza ${names.join(', or ')}`
  throw new ConfigError([{ file, line: found[1]!.line, message }])
}

/** The 1-based line that says what counts of a setting: the stanza's last one, else that of [default]; undefined: none does. */
export function fwknopSettingLine(
  content: string,
  stanzaName: string | undefined,
  setting: string,
): number | undefined {
  const stanzas = rcStanzas(content)
  for (const wanted of [stanzaName?.toLowerCase(), DEFAULT]) {
    const lines = stanzas.filter(({ name }) => name.toLowerCase() === wanted).flatMap((stanza) => [...stanza.lines])
    const last = lines.findLast(({ name }) => name === setting)
    if (last !== undefined) return last.line
  }
  return undefined
}

/** The names of the stanzas, without [default], in the file's order. */
export function fwknopStanzas(content: string): string[] {
  const names = rcStanzas(content).map(({ name }) => name)
  return [...new Set(names.filter((name) => name.toLowerCase() !== DEFAULT))]
}

function noSuchStanza(file: string, name: string, stanzas: readonly RcStanza[]): ConfigError {
  const known = [...new Set(stanzas.map((stanza) => stanza.name))]
  const expected = known.length === 0 ? 'it has none' : `expected one of ${known.map(quote).join(', ')}`
  return new ConfigError([{ file, line: 0, message: `stanza ${quote(name)}: no such stanza: ${expected}` }])
}

function settingsOf(reader: RcReader) {
  const sourcePort = reader.number('SPA_SOURCE_PORT', 0, 65_535)
  const allowIp = reader.allowIp()
  const spoofUser = reader.spoofUser()
  const url = reader.text('RESOLVE_URL')
  const isPlain = reader.isOn('RESOLVE_IP_HTTP') || reader.isOn('RESOLVE_HTTP_ONLY')
  reader.refuseWhatIsNotSpoken()
  return {
    port: reader.number('SPA_SERVER_PORT', 1, 65_535) ?? PORT,
    randPort: reader.isOn('RAND_PORT'),
    // 0 is the system's choice, too.
    ...(sourcePort === undefined || sourcePort === 0 ? {} : { sourcePort }),
    access: reader.access(),
    ...(allowIp === undefined ? {} : { allowIp }),
    resolve: { ...(url === undefined ? {} : { url }), https: !isPlain },
    fwTimeout: reader.number('FW_TIMEOUT', 0, 65_536) ?? 0,
    digestType: reader.digest('DIGEST_TYPE') ?? 'sha256',
    timeOffsetSeconds: reader.timeOffset(),
    ...(spoofUser === undefined ? {} : { spoofUser }),
  } as const
}
