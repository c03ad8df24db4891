/**
 * The keys of a stanza of ~/.fwknoprc. KEY beats KEY_BASE64 wherever each came from, and so with the HMAC's. No message shows
 * anything of a key.
 */
import type { FwknopKeys } from '../wire/fwknop-types.js'
import { ConfigError, type Findings } from './error.js'
import { base64Key, fwknopKeys, passphrase } from './fwknop-keys.js'
import type { RcReader } from './fwknop-rc-reader.js'
import { fwknopMode } from './fwknop-values.js'
import type { ReferredFiles } from './referred-files.js'

/** fwknop's client cuts a longer HMAC passphrase to so many bytes and says nothing. */
const MOST_PASSPHRASE_BYTES = 128

/** undefined where no key is said, or one that does not fit, which is then among the findings. */
export function rcKeys(
  reader: RcReader,
  server: string | undefined,
  files: ReferredFiles,
  findings: Findings,
): FwknopKeys | undefined {
  const key = keyOf(reader, 'KEY', findings) ?? keyFromFile(reader, 'KEY_FILE', server, files, findings)
  const hmacKey = keyOf(reader, 'HMAC_KEY', findings) ?? keyFromFile(reader, 'HMAC_KEY_FILE', server, files, findings)
  const mode = reader.take('ENCRYPTION_MODE', fwknopMode, 'cbc')
  const hmacDigest = reader.digest('HMAC_DIGEST_TYPE') ?? 'sha256'
  const useHmac = reader.line('USE_HMAC')
  if (reader.isOn('USE_HMAC') && hmacKey === undefined)
    findings.refuse(
      useHmac!.line,
      'USE_HMAC Y: expected HMAC_KEY_BASE64 or HMAC_KEY with it: nobody is asked for a key',
    )
  const keyLine = (reader.line('KEY') ?? reader.line('KEY_BASE64') ?? reader.line('KEY_FILE'))?.line ?? 0
  if (hmacKey !== undefined && mode === 'legacy')
    findings.refuse(
      reader.line('ENCRYPTION_MODE')!.line,
      'ENCRYPTION_MODE legacy: expected no HMAC_KEY with it, as in fwknop',
    )
  if (key === undefined) return undefined
  const keys = fwknopKeys({ key, mode, hmacKey, hmacDigest })
  if (!('wrong' in keys)) return keys
  findings.refuse(keyLine, keys.wrong)
  return undefined
}

function keyOf(reader: RcReader, name: 'KEY' | 'HMAC_KEY', findings: Findings): Uint8Array | undefined {
  const text = reader.line(name)
  const line = text ?? reader.line(`${name}_BASE64`)
  if (line === undefined) return undefined
  const reading = text === undefined ? base64Key(line.value) : passphrase(line.value)
  if ('misfit' in reading) {
    findings.refuse(line.line, `${line.name}: ${reading.misfit}: expected ${reading.expected}`)
    return undefined
  }
  if (name === 'KEY' || reading.value.length <= MOST_PASSPHRASE_BYTES) return reading.value
  const bytes = `${reading.value.length} bytes`
  if (text === undefined)
    findings.refuse(line.line, `${line.name}: ${bytes}: expected at most ${MOST_PASSPHRASE_BYTES}`)
  else findings.warn(line.line, `${line.name}: ${bytes}: cut to ${MOST_PASSPHRASE_BYTES}, as by fwknop`)
  return reading.value.subarray(0, MOST_PASSPHRASE_BYTES)
}

/** A key file's lines are `HOST: key up to the end of the line`; the last for this host counts. */
function keyFromFile(
  reader: RcReader,
  name: 'KEY_FILE' | 'HMAC_KEY_FILE',
  server: string | undefined,
  files: ReferredFiles,
  findings: Findings,
): Uint8Array | undefined {
  const line = reader.line(name)
  if (line === undefined) return undefined
  try {
    const rows = files.readKeys(line.value).text.split('\n')
    const key = rows.flatMap((row) => keyFor(server, row) ?? []).at(-1)
    if (key !== undefined) return new Uint8Array(Buffer.from(key, 'utf8'))
    findings.refuse(line.line, `${name}: no line "${server ?? 'HOST'}: KEY" in it: expected one for the SPA_SERVER`)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    findings.adopt(error)
  }
  return undefined
}

function keyFor(server: string | undefined, row: string): string | undefined {
  if (row.startsWith('#')) return undefined
  const [, host, key] = /^[\t ]*([^\s]+):[\t ]*([^\r]+?)\r?$/.exec(row) ?? []
  return host !== undefined && host === server ? key : undefined
}
