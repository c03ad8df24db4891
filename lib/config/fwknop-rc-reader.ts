/**
 * Takes what a stanza of ~/.fwknoprc says by name and form; the last line of a name counts. fwknop ends at a name that it does
 * not know and at a value that does not fit, and so is it here.
 */
import { canonicalAddress, familyOf, type IpAddress } from '../wire/address.js'
import type { FwknopDigest, FwknopPort } from '../wire/fwknop-types.js'
import { type Findings, quote, quoteName } from './error.js'
import type { RcLine } from './fwknop-rc-lines.js'
import { decimal, fwknopDigest, fwknopPorts } from './fwknop-values.js'
import { didYouMean } from './nearest.js'
import { type Form, misfit } from './values.js'

type NamedLine = RcLine & { readonly name: string }

/** What postern does not do, refused where it is asked for. */
const NAT = 'postern asks for no NAT: delete the line, or knock with fwknop itself'
const GNUPG = 'GnuPG is not spoken here: expected KEY_BASE64 and HMAC_KEY_BASE64, at the server too'
const NOT_SPOKEN: ReadonlyMap<string, string> = new Map([
  ['NAT_ACCESS', NAT],
  ['NAT_PORT', NAT],
  ['SPOOF_SOURCE_IP', 'a datagram goes out from an address of this host: delete the line'],
])
const NOT_SPOKEN_IF_ON: ReadonlyMap<string, string> = new Map([
  ['NAT_LOCAL', NAT],
  ['NAT_RAND_PORT', NAT],
  ['USE_GPG', GNUPG],
  ['USE_GPG_AGENT', GNUPG],
])
/** Names that are read elsewhere, or that change nothing that is sent: postern keeps no command lines and asks by itself. */
const KNOWN = [
  ...['SPA_SERVER', 'SPA_SERVER_PORT', 'SPA_SERVER_PROTO', 'SPA_SOURCE_PORT', 'RAND_PORT', 'ACCESS', 'ALLOW_IP'],
  ...['FW_TIMEOUT', 'KEY', 'KEY_BASE64', 'HMAC_KEY', 'HMAC_KEY_BASE64', 'USE_HMAC', 'HMAC_DIGEST_TYPE', 'KEY_FILE'],
  ...['HMAC_KEY_FILE', 'DIGEST_TYPE', 'ENCRYPTION_MODE', 'TIME_OFFSET', 'SPOOF_USER', 'RESOLVE_IP_HTTPS'],
  ...['RESOLVE_IP_HTTP', 'RESOLVE_HTTP_ONLY', 'RESOLVE_URL', 'WGET_CMD', 'USE_WGET_USER_AGENT', 'HTTP_USER_AGENT'],
  ...['SERVER_RESOLVE_IPV4', 'VERBOSE', 'NO_SAVE_ARGS', 'GPG_RECIPIENT', 'GPG_SIGNER', 'GPG_HOMEDIR', 'GPG_EXE'],
  ...['GPG_SIGNING_PW', 'GPG_SIGNING_PW_BASE64', 'GPG_NO_SIGNING_PW'],
  ...NOT_SPOKEN.keys(),
  ...NOT_SPOKEN_IF_ON.keys(),
]
const KEYS = /^((HMAC_)?KEY|GPG_SIGNING_PW)(_BASE64)?$/
const MOST_OFFSET = 65_536
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

export class RcReader {
  readonly #said = new Map<string, NamedLine>()
  readonly #findings: Findings

  constructor(lines: readonly RcLine[], findings: Findings) {
    this.#findings = findings
    for (const line of lines) this.#note(line)
  }

  /** The line that counts. */
  line(name: string): NamedLine | undefined {
    return this.#said.get(name)
  }

  take<T, F>(name: string, form: Form<T>, fallback: F): T | F {
    const said = this.#said.get(name)
    if (said === undefined) return fallback
    const reading = form(said.value)
    if ('value' in reading) return reading.value
    this.#findings.refuse(said.line, `${name} ${reading.misfit}: expected ${reading.expected}`)
    return fallback
  }

  text(name: string): string | undefined {
    return this.#said.get(name)?.value
  }

  number(name: string, least: number, most: number): number | undefined {
    return this.take(name, decimal(least, most), undefined)
  }

  digest(name: string): FwknopDigest | undefined {
    return this.take(name, fwknopDigest, undefined)
  }

  /** `Y` or `y`: fwknop takes every other value for no, so one that looks like yes is refused. */
  isOn(name: string): boolean {
    return this.take(name, exactly, false)
  }

  /** ACCESS, of which the protocols are lower-case alone. */
  access(): readonly FwknopPort[] {
    return this.take('ACCESS', lowerPorts, [])
  }

  allowIp(): 'source' | 'resolve' | IpAddress | undefined {
    return this.take('ALLOW_IP', allowed, undefined)
  }

  spoofUser(): string | undefined {
    return this.take('SPOOF_USER', username, undefined)
  }

  /** `[-]N[smhd]`, in seconds. */
  timeOffset(): number {
    return this.take('TIME_OFFSET', offset, 0)
  }

  /** NAT, GnuPG, spoofing and what is no UDP. */
  refuseWhatIsNotSpoken(): void {
    for (const [name, why] of NOT_SPOKEN) this.#refuse(name, why)
    for (const [name, why] of NOT_SPOKEN_IF_ON) if (this.isOn(name)) this.#refuse(name, why)
    const transport = this.text('SPA_SERVER_PROTO')
    if (transport !== undefined && transport.toLowerCase() !== 'udp')
      this.#refuse('SPA_SERVER_PROTO', `${quote(transport)}: expected udp: postern sends datagrams alone`)
  }

  #refuse(name: string, why: string): void {
    const said = this.#said.get(name)
    if (said !== undefined) this.#findings.refuse(said.line, `${name}: ${why}`)
  }

  #note(said: RcLine): void {
    const { name, rest, line } = said
    if (name === undefined) this.#findings.refuse(line, 'expected NAME VALUE, or # as the first character')
    else if (!KNOWN.includes(name)) {
      const hint = name === 'CLIENT_TIMEOUT' ? '; did you mean "FW_TIMEOUT"?' : didYouMean(name, KNOWN)
      this.#findings.refuse(line, `${quoteName(name)}: expected a name that fwknop knows${hint}`)
    } else {
      this.#said.set(name, { ...said, name })
      if (rest === '') return
      const shown = KEYS.test(name) ? '' : ` ${quote(rest)}`
      this.#findings.warn(
        line,
        `${name}: what is behind the first blank, ";" or "#"${shown} does not count, as in fwknop`,
      )
    }
  }
}

const exactly: Form<boolean> = (text) =>
  /^(y|n|no)$/i.test(text) ? { value: /^y$/i.test(text) } : misfit(text, 'Y or N')

const lowerPorts: Form<readonly FwknopPort[]> = (text) => {
  const upper = /[A-Z]+/.exec(text)
  return upper === null
    ? fwknopPorts(text)
    : misfit(text, 'tcp/PORT or udp/PORT in lower case, by commas without blanks')
}

const allowed: Form<'source' | 'resolve' | IpAddress> = (text) => {
  const word = text.toLowerCase()
  if (word === 'source' || word === 'resolve') return { value: word }
  const address = canonicalAddress(text)
  if (address === '0.0.0.0') return { value: 'source' }
  const isFour = address !== undefined && familyOf(address) === 4 && !text.includes(':')
  return isFour ? { value: address } : misfit(text, 'source, resolve, or an IPv4 address')
}

/** 48 bytes are what a receiver takes; of fwknop's own forbidden characters. */
const username: Form<string> = (text) =>
  /^[ -~]{1,48}$/.test(text) && !/["/\\[\]:;|=,+*?<>]/.test(text)
    ? { value: text }
    : misfit(text, '1–48 ASCII characters, none of " / \\ [ ] : ; | = , + * ? < >')

const offset: Form<number> = (text) => {
  const [, sign, digits, unit = 's'] = /^([-+]?)([0-9]{1,5})([smhd]?)$/.exec(text) ?? []
  if (digits === undefined || Number(digits) > MOST_OFFSET)
    return misfit(text, `a number up to ${MOST_OFFSET} with s, m, h or d behind it, and - before it where it is back`)
  const seconds = Number(digits) * UNIT_SECONDS[unit === '' ? 's' : unit]!
  return { value: sign === '-' ? -seconds : seconds }
}
