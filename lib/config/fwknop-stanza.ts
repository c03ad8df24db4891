/** One stanza of access.conf: from its lines to what the gate judges by (docs/PROTOCOL.md, "fwknop: access.conf"). */
import { basename } from 'node:path'
import type { FwknopStanza } from '../gate/fwknop-stanza.js'
import { type FwknopPort, portName } from '../wire/fwknop-types.js'
import type { Findings } from './error.js'
import { base64Key, fwknopKeys, passphrase } from './fwknop-keys.js'
import type { FwknopLine } from './fwknop-lines.js'
import {
  decimal,
  fwknopDate,
  fwknopDigest,
  fwknopMode,
  fwknopNetworks,
  fwknopPorts,
  fwknopSwitch,
} from './fwknop-values.js'
import { type Form, misfit } from './values.js'

/** A line and whose file it stands in: keys may be in another one. */
export interface Said {
  readonly line: FwknopLine
  readonly findings: Findings
}

/** The lines of one stanza, by the name under which they count. */
export interface StanzaLines {
  readonly source: Said
  readonly said: ReadonlyMap<string, Said>
}

/** A stanza that was read, and where its SOURCE and OPEN_PORTS stand. */
export interface ReadStanza {
  readonly stanza: Omit<FwknopStanza, 'user'>
  readonly source: Said
  readonly openPorts?: Said
}

export interface StanzaChoices {
  /** [FWKNOP] without-hmac = accept. */
  readonly withoutHmac: boolean
}

const LEASE_SECONDS = 30
const MOST_LEASE_SECONDS = 300
const MOST_SECONDS = 8_388_608

/** The stanza, or undefined where it has no key that fits; what is wrong is among the findings. */
export function readStanza(lines: StanzaLines, choices: StanzaChoices): ReadStanza | undefined {
  const { source, said } = lines
  const take = <T, F>(name: string, form: Form<T>, fallback: F): T | F => taken(said.get(name), form, fallback)
  const keys = keysOf(lines, choices)
  const sources = taken(source, fwknopNetworks, undefined)
  const destinations = take('DESTINATION', fwknopNetworks, undefined)
  const openPorts = portsOf(said.get('OPEN_PORTS'))
  const restrictPorts = portsOf(said.get('RESTRICT_PORTS')) ?? []
  // fwknopd takes 0 for "not said".
  const leaseSeconds = take('FW_ACCESS_TIMEOUT', decimal(0, MOST_SECONDS), 0) || LEASE_SECONDS
  const maxSeconds = take('MAX_FW_TIMEOUT', decimal(0, MOST_SECONDS), 0) || MOST_LEASE_SECONDS
  const user = said.get('REQUIRE_USERNAME')
  const username = taken(user, whole, undefined, user?.line.raw)
  const expiresMs = take('ACCESS_EXPIRE', expiryOf(said.get('ACCESS_EXPIRE')), undefined)
  const requireAddress = take('REQUIRE_SOURCE_ADDRESS', fwknopSwitch, false)
  if (keys === undefined) return undefined
  const openAt = said.get('OPEN_PORTS')
  const max = said.get('MAX_FW_TIMEOUT')
  if (max !== undefined && maxSeconds < leaseSeconds)
    max.findings.warn(
      max.line.line,
      `MAX_FW_TIMEOUT ${maxSeconds}: bounds what clients ask for; who asks for nothing gets FW_ACCESS_TIMEOUT, ${leaseSeconds} s`,
    )
  return {
    source,
    ...(openAt === undefined ? {} : { openPorts: openAt }),
    stanza: {
      title: `${basename(source.findings.file)}:${source.line.line}`,
      keys,
      ...(sources === undefined ? {} : { sources }),
      ...(destinations === undefined ? {} : { destinations }),
      ...(openPorts === undefined ? {} : { openPorts }),
      restrictPorts,
      leaseSeconds,
      maxSeconds,
      ...(username === undefined ? {} : { username }),
      requireAddress,
      ...(expiresMs === undefined ? {} : { expiresMs }),
    },
  }
}

function taken<T, F>(said: Said | undefined, form: Form<T>, fallback: F, text = said?.line.value ?? ''): T | F {
  if (said === undefined) return fallback
  const { line, findings } = said
  const reading = form(text)
  if ('value' in reading) return reading.value
  findings.refuse(line.line, `${line.name} ${reading.misfit}: expected ${reading.expected}`)
  return fallback
}

/** A text of which every blank counts: fwknopd 2.6.10 and 2.6.11 do not agree about those at the end. */
const whole: Form<string> = (text) =>
  /[\t\v\f ]$/.test(text)
    ? misfit(text, 'no blanks at its end, which fwknopd 2.6.10 counts and 2.6.11 does not')
    : { value: text }

function expiryOf(said: Said | undefined): Form<number> {
  if (said?.line.name !== 'ACCESS_EXPIRE_EPOCH') return fwknopDate
  return (text) => {
    const reading = decimal(1, 99_999_999_999)(text)
    return 'value' in reading ? { value: reading.value * 1000 } : misfit(text, 'seconds since 1970')
  }
}

/** Each port once. fwknopd refuses every request for a port that is there twice. */
function portsOf(said: Said | undefined): readonly FwknopPort[] | undefined {
  const ports = taken(said, fwknopPorts, undefined)
  if (said === undefined || ports === undefined) return said === undefined ? undefined : []
  const once = new Map(ports.map((port) => [portName(port), port]))
  for (const text of once.keys())
    if (ports.filter((port) => portName(port) === text).length > 1)
      said.findings.warn(
        said.line.line,
        `${said.line.name}: ${text} is here twice, with which fwknopd refuses every request for it; here it counts once`,
      )
  return [...once.values()]
}

function keysOf({ source, said }: StanzaLines, { withoutHmac }: StanzaChoices) {
  const { line, findings } = source
  const keyLine = said.get('KEY')
  const hmacLine = said.get('HMAC_KEY')
  const key = keyOf(keyLine)
  const hmacKey = keyOf(hmacLine)
  const mode = taken(said.get('ENCRYPTION_MODE'), fwknopMode, 'cbc')
  const hmacDigest = taken(said.get('HMAC_DIGEST_TYPE'), fwknopDigest, 'sha256')
  if (keyLine === undefined)
    findings.refuse(
      line.line,
      'a stanza without a key: expected KEY_BASE64 or KEY in it, and HMAC_KEY_BASE64 or HMAC_KEY',
    )
  else if (hmacLine === undefined && !withoutHmac)
    findings.refuse(
      line.line,
      'a stanza without HMAC_KEY, whose packets anybody can change unnoticed: expected HMAC_KEY_BASE64 in it and at its ' +
        'clients, or [FWKNOP] without-hmac = accept in posternd.conf',
    )
  else if (hmacLine === undefined)
    findings.warn(line.line, 'a stanza without HMAC_KEY (without-hmac = accept): strangers can make posternd decrypt')
  if (key === undefined || (hmacLine !== undefined && hmacKey === undefined)) return undefined
  const keys = fwknopKeys({ key, mode, hmacKey, hmacDigest })
  if (!('wrong' in keys)) return keys
  findings.refuse(line.line, `a stanza with ${keys.wrong}`)
  return undefined
}

/** The key's bytes; nothing of it is shown. */
function keyOf(said: Said | undefined): Uint8Array | undefined {
  if (said === undefined) return undefined
  const { line, findings } = said
  const isText = !line.name.endsWith('BASE64')
  if (isText && line.raw !== line.value) {
    const why = 'which fwknopd 2.6.10 counts and 2.6.11 does not'
    findings.refuse(line.line, `${line.name}: blanks at its end, ${why}: expected none, or ${line.name}_BASE64`)
    return undefined
  }
  const reading = isText ? passphrase(line.value) : base64Key(line.value)
  if ('value' in reading) return reading.value
  findings.refuse(line.line, `${line.name}: ${reading.misfit}: expected ${reading.expected}`)
  return undefined
}
