/** What a knock of postern's own says that was overheard on its way in: what the daemon, which is silent, cannot tell. Pure. */
import type { IpAddress } from '../../../wire/address.js'
import { type Knock, MAX_BYTES, MIN_BYTES, open } from '../../../wire/spa.js'
import type { Finding } from '../../finding.js'
import { because, type Caught, clockWords, type Ear, MENDS, placeWords } from './caught.js'
import type { Datagram } from './overhear.js'

export interface Knocker {
  /** "user alice (0000000A)". */
  readonly who: string
  /** His name or id, for a command line. */
  readonly name: string
  /** Realm-bound, 32 bytes each: of the key of today, and of older ones that count yet. */
  readonly sealKeys: readonly Uint8Array[]
  readonly keyCheck: string
}

export interface SpaExpected {
  /** Whose knocks are listened for. */
  readonly knockers: readonly Knocker[]
  readonly windowMs: number
  readonly ports: 'any' | readonly number[]
}

/** The ear for them. */
export function spaEar(expected: SpaExpected): Ear {
  const { knockers, ports } = expected
  return (datagram) => {
    const { payload, port } = datagram
    if (payload.length < MIN_BYTES || payload.length > MAX_BYTES) return undefined
    for (const knocker of knockers)
      for (const key of knocker.sealKeys) {
        const knock = open(payload, key)
        if (!('why' in knock)) return judge(knock, knocker, datagram, expected)
      }
    return ports === 'any' || ports.includes(port) ? because('strange', anotherKey(knockers, datagram)) : undefined
  }
}

function judge(knock: Knock, { who, name }: Knocker, datagram: Datagram, { windowMs, ports }: SpaExpected): Caught {
  const { source, port, atMs } = datagram
  const offMs = knock.timeMs - atMs
  const arrived = `the knock of ${who} arrived from ${source}`
  const findings: Finding[] = []
  if (Math.abs(offMs) > windowMs)
    findings.push({
      code: 'clock-off',
      sentence: `${arrived}, and ${clockWords(offMs, atMs, windowMs)}`,
      mend: MENDS.clock,
    })
  if (ports !== 'any' && !ports.includes(port))
    findings.push({
      code: 'knock-port',
      sentence: `${arrived} at UDP port ${port}, and knocks are heard at ${placeWords(ports)}`,
      mend: `posternd enroll ${name} --again   # postern add takes the line; or port = in the client’s file`,
    })
  if (knock.address !== undefined && knock.address !== source) findings.push(addressDiffers(who, source, knock.address))
  const off = `its time is ${(Math.abs(offMs) / 1000).toFixed(1)} s off`
  const notes = findings.length > 0 ? [] : [`${arrived} with the right key; ${off}`]
  return { kind: 'own', report: { findings, notes } }
}

function anotherKey(knockers: readonly Knocker[], { source }: Datagram): Finding {
  const [{ who, name, keyCheck } = { who: '', name: 'USER', keyCheck: '' }, ...more] = knockers
  const came = `from ${source} came a datagram of a knock’s length that`
  const mend = 'postern add takes the line on that machine'
  if (more.length > 0)
    return {
      code: 'another-key',
      sentence: `${came} none of the ${knockers.length} users’ keys here opens: that machine has another key, user or realm`,
      mend: `posternd enroll USER --again   # ${mend}`,
    }
  return {
    code: 'another-key',
    sentence: `${came} the key of ${who} does not open: if it was his, that machine has another key, user or realm (the key check is ${keyCheck} here; postern doctor says it there)`,
    mend: `posternd enroll ${name} --again   # ${mend}`,
  }
}

function addressDiffers(who: string, source: IpAddress, named: IpAddress): Finding {
  return {
    code: 'address-differs',
    sentence: `the knock of ${who} comes from ${source} and opens for ${named}, which it names: connections from there come from ${source} too, where a NAT stands between`,
    mend: 'postern knock HOST PORT   # without --address, and require-address: no or optional for the resource',
  }
}
