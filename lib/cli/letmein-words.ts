/** What letmein's exchange came to, in words: what happened, and what to do next. Pure. */
import type { Transport } from '../client/letmein-line.js'
import type { Answer } from '../client/letmein-round.js'
import type { Family } from '../wire/address.js'

/** Where it was asked. */
export interface Asked {
  readonly host: string
  readonly operation: 'KNOCK' | 'REVOKE'
  readonly transport: Transport
  readonly controlPort: number | 'any'
  readonly timeoutMs: number
  readonly families: readonly Family[]
  readonly isEveryFamilyWanted: boolean
}

/** `gate lets this machine in at port 22 (COMEIN from 192.0.2.1; not 2001:db8::1: …)`. */
export function letInSentence(what: string, answers: readonly Answer[], asked: Asked): string {
  const { host, operation } = asked
  const done = operation === 'KNOCK' ? `lets this machine in at ${what}` : `has shut ${what} for this machine again`
  const good = answers.filter(({ end }) => end === 'comein').map(({ to }) => to.address)
  const others = answers.filter(({ end }) => end !== 'comein')
  const rest = others.map((answer) => `; not ${answer.to.address}: ${happened(answer, asked)}`)
  return `${host} ${done} (COMEIN from ${good.join(', ')}${rest.join('')})`
}

/** `gate did not open port 22: 192.0.2.1: it says GOAWAY: compare …`. */
export function notLetInSentence(what: string, answers: readonly Answer[], asked: Asked): string {
  const { host, operation } = asked
  const begin = `${host} did not ${operation === 'KNOCK' ? 'open' : 'shut'} ${what}`
  const each = answers.map((answer) => `${answer.to.address}: ${happened(answer, asked)}`)
  const telling = answers.filter(({ end }) => end !== 'comein').toSorted((a, b) => rankOf(a) - rankOf(b))[0]
  const nowhere = asked.families.filter((family) => answers.every(({ to }) => to.family !== family))
  const missing = asked.isEveryFamilyWanted ? nowhere.map((family) => `no IPv${family} address found`) : []
  return `${begin}: ${[...each, ...missing].join('; ')}${telling === undefined ? '' : `: ${advice(telling, asked)}`}`
}

/** The warnings of all answers, each once, with the address where they come from. */
export function warningsOf(answers: readonly Answer[]): string[] {
  return [...new Set(answers.flatMap(({ to, warnings }) => warnings.map((warning) => `${to.address}: ${warning}`)))]
}

/** The same for programs. */
export function answersForJson(answers: readonly Answer[]): object[] {
  return answers.map(({ to, end, step, knocks, afterMs }) => ({
    address: to.address,
    end,
    step,
    knocks,
    afterMs: Math.round(afterMs),
  }))
}

function happened({ end, step, detail, knocks }: Answer, asked: Asked): string {
  switch (end) {
    case 'comein':
      return 'COMEIN'
    case 'goaway':
      return step === 'RESPONSE' ? 'it takes the key, and says GOAWAY' : 'it says GOAWAY'
    case 'magic':
    case 'operation':
      return `what answers at ${portOf(asked)} is not letmein (${detail})`
    case 'order':
      return detail
    case 'refused':
      return `nothing is served at ${portOf(asked)} (${detail})`
    case 'closed':
      return `it hung up without an answer (${detail})`
    case 'unreachable':
      return `it cannot be reached (${detail})`
    case 'timeout': {
      const seconds = `${asked.timeoutMs / 1000} s`
      if (step === 'connect') return `no connection to ${portOf(asked)} within ${seconds}`
      return step === 'RESPONSE'
        ? `it sent CHALLENGE, but no COMEIN within ${seconds}`
        : `no answer from ${portOf(asked)} to ${knocks === 1 ? 'the KNOCK' : `${knocks} KNOCKs`} within ${seconds}`
    }
    case 'left':
      return 'no answer yet'
    default:
      return end satisfies never
  }
}

/** The most telling first. */
const RANKS = ['goaway', 'magic', 'operation', 'order', 'closed', 'refused', 'timeout', 'unreachable', 'left']

function rankOf({ end, step }: Answer): number {
  return step === 'RESPONSE' ? -1 : RANKS.indexOf(end)
}

function advice({ end, step }: Answer, { operation, transport, timeoutMs }: Asked): string {
  if (end === 'timeout' && step === 'RESPONSE')
    return `it may have been done all the same: ${operation === 'KNOCK' ? 'try the port, or knock' : 'revoke'} again`
  const other = transport === 'udp' ? '--tcp' : '--udp'
  switch (end) {
    case 'goaway':
      return step === 'RESPONSE'
        ? "the server could not change its firewall: look at its log (with letmein: letmeinfwd's, too)"
        : "compare user, key and resource with the server's file, and look at its log"
    case 'comein':
    case 'order':
      return 'knock again'
    case 'closed':
      return `compare user and key with the server's file, and look at its log`
    case 'unreachable':
      return "check this machine's network"
    case 'left':
      return `wait longer: an exchange may take ${(2 * timeoutMs) / 1000} s`
    default:
      return `compare user, key, control port (--port) and protocol (${other}) with the server's file; a server says nothing to a key that it does not know`
  }
}

function portOf({ transport, controlPort }: Asked): string {
  const name = transport.toUpperCase()
  return controlPort === 'any' ? `any ${name} port` : `${name} port ${controlPort}`
}
