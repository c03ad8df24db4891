/** What a user's knock says that was overheard on its way in: what the daemon, which is silent, cannot tell him. Pure. */
import type { IpAddress } from '../../../wire/address.js'
import { type Knock, open } from '../../../wire/spa.js'
import type { Finding, Report } from '../../finding.js'
import type { Datagram } from './overhear.js'

export interface Expected {
  /** "user alice (0000000A)". */
  readonly who: string
  /** His name or id, for a command line. */
  readonly name: string
  /** Realm-bound, 32 bytes each: of the key of today, and of older ones that count yet. */
  readonly sealKeys: readonly Uint8Array[]
  readonly keyCheck: string
  readonly windowMs: number
  readonly isHeardAt: (port: number) => boolean
  /** "port 5800". */
  readonly place: string
  readonly seconds: number
}

/** What was heard so far: his own knock, or else somebody's datagram where knocks are heard. */
export interface Overheard {
  readonly knock?: { readonly datagram: Datagram; readonly knock: Knock }
  readonly stranger?: Datagram
}

/** What is known with one datagram more. */
export function withOne(heard: Overheard, datagram: Datagram, { sealKeys, isHeardAt }: Expected): Overheard {
  if (heard.knock !== undefined) return heard
  for (const key of sealKeys) {
    const knock = open(datagram.payload, key)
    if (!('why' in knock)) return { ...heard, knock: { datagram, knock } }
  }
  return isHeardAt(datagram.port) ? { ...heard, stranger: datagram } : heard
}

/** All that it means. */
export function judgeOverheard({ knock: own, stranger }: Overheard, expected: Expected): Report {
  const { who, name, keyCheck, windowMs, isHeardAt, place, seconds } = expected
  if (own === undefined) return { findings: [stranger ? anotherKey(stranger) : nothingCame()], notes: [] }
  const { datagram, knock } = own
  const { source, port, atMs } = datagram
  const offMs = knock.timeMs - atMs
  const findings: Finding[] = []
  if (Math.abs(offMs) > windowMs)
    findings.push({
      code: 'clock-off',
      sentence: `the knock of ${who} arrived from ${source}, and the clock there is ${spanWords(Math.abs(offMs))} ${offMs < 0 ? 'behind' : 'ahead of'} this one, which says ${new Date(atMs).toISOString()}: ${spanWords(windowMs)} are let pass`,
      mend: 'timedatectl set-ntp true   # on the machine whose clock is wrong',
    })
  if (!isHeardAt(port))
    findings.push({
      code: 'knock-port',
      sentence: `the knock of ${who} arrived from ${source} at UDP port ${port}, and knocks are heard at ${place}`,
      mend: `posternd enroll ${name} --again   # postern add takes the line; or port = in the client’s file`,
    })
  if (knock.address !== undefined && knock.address !== source) findings.push(addressDiffers(who, source, knock.address))
  if (findings.length > 0) return { findings, notes: [] }
  const off = `its time is ${(Math.abs(offMs) / 1000).toFixed(1)} s off`
  return { findings, notes: [`the knock of ${who} arrived from ${source} with the right key; ${off}`] }

  function anotherKey(from: Datagram): Finding {
    return {
      code: 'another-key',
      sentence: `from ${from.source} came a datagram of a knock’s length that the key of ${who} does not open: if it was his, that machine has another key, user or realm (the key check is ${keyCheck} here; postern doctor says it there)`,
      mend: `posternd enroll ${name} --again   # postern add takes the line on that machine`,
    }
  }

  function nothingCame(): Finding {
    return {
      code: 'nothing-arrived',
      sentence: `no knock came in at ${place} within ${seconds} s: it was not sent, goes to another address or port, or a network drops it`,
      mend: 'postern doctor HOST   # on the user’s machine, while this listens',
    }
  }
}

function addressDiffers(who: string, source: IpAddress, named: IpAddress): Finding {
  return {
    code: 'address-differs',
    sentence: `the knock of ${who} comes from ${source} and opens for ${named}, which it names: connections from there come from ${source} too, where a NAT stands between`,
    mend: 'postern knock HOST PORT   # without --address, and require-address: no or optional for the resource',
  }
}

/** Seconds below two minutes, else the two largest units. */
export function spanWords(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  const units: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ]
  const first = units.findIndex(([count]) => count > 0)
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ')
}
