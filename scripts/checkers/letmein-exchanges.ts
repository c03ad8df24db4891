/** Whole conversations of a client with a server: every byte that can be made again is, on both sides. */
import { LetmeinExchange } from '../../lib/client/letmein-exchange.js'
import {
  authOf,
  decode,
  encode,
  isSameAuth,
  type Message,
  type MessageOperation,
  ZERO_AUTH,
} from '../../lib/wire/letmein.js'
import { attempt, compareBytes, compareFields } from './compare.js'
import { policyOf, serve, shown } from './letmein-server.js'
import { bytesOf, type Fields, idOf, listOf, optional, textOf, wholeOf, wrong } from './shape.js'

interface Said {
  readonly fromClient: boolean
  readonly message: Message
  readonly datagram: Uint8Array
}

/** What is not as the file says it. Throws ShapeError where the entry is none. */
export function differencesOfExchange(fields: Fields, where: string): string[] {
  const exchange = exchangeOf(fields, where)
  return [...differencesOfBytes(exchange), ...differencesOfClient(exchange), ...differencesOfServer(exchange)]
}

type Exchange = ReturnType<typeof exchangeOf>

function exchangeOf(fields: Fields, where: string) {
  const transport = textOf(fields, 'transport', where)
  if (transport !== 'udp' && transport !== 'tcp') throw wrong(`${where}.transport`, transport, 'udp or tcp')
  const command = textOf(fields, 'command', where)
  if (command !== 'knock' && command !== 'revoke') throw wrong(`${where}.command`, command, 'knock or revoke')
  return {
    policy: policyOf(fields, where),
    transport,
    ipVersion: wholeOf(fields, 'ip_version', where),
    operation: command === 'knock' ? ('KNOCK' as const) : ('REVOKE' as const),
    user: idOf(fields, 'user', where),
    resource: idOf(fields, 'resource', where),
    key: bytesOf(fields, 'key', where),
    serverKey: optional(bytesOf, fields, 'server_key', where),
    challenge: optional(bytesOf, fields, 'challenge', where),
    hasSucceeded: wholeOf(fields, 'client_exit_status', where) === 0,
    messages: listOf(fields, 'messages').map((message, i) => saidOf(message, `${where}.messages[${i}]`)),
  }
}

function saidOf(fields: Fields, where: string): Said {
  const from = textOf(fields, 'from', where)
  if (from !== 'client' && from !== 'server') throw wrong(`${where}.from`, from, 'client or server')
  return {
    fromClient: from === 'client',
    message: {
      operation: textOf(fields, 'operation', where) as MessageOperation,
      user: idOf(fields, 'user', where),
      resource: idOf(fields, 'resource', where),
      salt: bytesOf(fields, 'salt', where),
      auth: bytesOf(fields, 'auth', where),
    },
    datagram: bytesOf(fields, 'datagram', where),
  }
}

/** Encoded, decoded, and the auth that key and challenge give. */
function differencesOfBytes({ key, challenge, messages }: Exchange): string[] {
  return messages.flatMap(({ fromClient, message, datagram }, i) => {
    const { operation } = message
    const auth = (): Uint8Array => {
      if (!fromClient) return operation === 'CHALLENGE' ? (challenge ?? new Uint8Array()) : ZERO_AUTH
      return authOf(key, message, operation === 'RESPONSE' ? (challenge ?? new Uint8Array()) : ZERO_AUTH)
    }
    return [
      ...compareBytes(`message ${i}: ${operation}`, () => encode(message), datagram),
      ...compareFields(`message ${i}: decoded`, decode(datagram), message),
      ...compareBytes(`message ${i}: auth`, auth, message.auth),
    ]
  })
}

/** Our client, with the salts of the file, says the same bytes to the same answers, and comes to the same end. */
function differencesOfClient({ operation, user, resource, key, hasSucceeded, messages }: Exchange): string[] {
  const salts = messages.filter(({ fromClient }) => fromClient).map(({ message }) => message.salt)
  const client = new LetmeinExchange({
    operation,
    user,
    resource,
    key,
    random: (length) => salts.shift() ?? new Uint8Array(length),
  })
  const found: string[] = []
  let isDone = false
  let sent: Uint8Array | string | undefined = attempt(() => client.first())
  for (const [i, { fromClient, datagram }] of messages.entries()) {
    if (fromClient) {
      const ours = sent
      if (ours === undefined || typeof ours === 'string') found.push(`message ${i}: client: ${ours ?? 'says nothing'}`)
      else found.push(...compareBytes(`message ${i}: client`, () => ours, datagram))
      sent = undefined
      continue
    }
    const step = client.feed(datagram)
    if (step.kind === 'send') sent = step.bytes
    isDone = step.kind === 'done'
  }
  if (sent !== undefined) found.push('client: it has more to say here')
  if (isDone !== hasSucceeded) found.push(`client: ${isDone ? 'done' : 'failed'} here, not in the file`)
  return found
}

/**
 * Our server with the file's key and policy answers alike. The file does not say which resources it has: what it sent a
 * CHALLENGE for it knows. Our CHALLENGE is another one, so the RESPONSE is made for it. Whether the firewall then did
 * what it was asked to is not the gate's to say: COMEIN and GOAWAY are both right.
 */
function differencesOfServer({ messages, ...exchange }: Exchange): string[] {
  const { user, key, policy, transport, ipVersion, serverKey } = exchange
  const knowsResource = messages.some(({ message }) => message.operation === 'CHALLENGE')
  const resources = knowsResource ? [exchange.resource] : []
  const hear = serve({ user, key: serverKey, policy, resources, transport, ipVersion })
  const found: string[] = []
  let challenge: Uint8Array | undefined
  for (const [i, { fromClient, message, datagram }] of messages.entries()) {
    if (!fromClient) continue
    const isResponse = message.operation === 'RESPONSE' && challenge !== undefined
    const answer = attempt(() => ({
      here: hear(isResponse ? encode({ ...message, auth: authOf(key, message, challenge!) }) : datagram),
    }))
    if (typeof answer === 'string') return [...found, `message ${i}: server: ${answer}`]
    const ours = answer.here
    if (ours?.operation === 'CHALLENGE') challenge = ours.auth
    const theirs = messages[i + 1]?.fromClient === false ? messages[i + 1]?.message : undefined
    const isFirewall = ours?.operation === 'COMEIN' && theirs?.operation === 'GOAWAY' && isResponse
    const expected = isFirewall ? { ...theirs, operation: 'COMEIN' as const } : theirs
    if (shown(ours) !== shown(expected))
      found.push(`message ${i}: server: ${shown(ours)} here, ${shown(theirs)} in the file`)
    else if (ours && ours.operation !== 'CHALLENGE' && !isSameAuth(ours.auth, ZERO_AUTH))
      found.push(`message ${i}: server: auth is not zero here`)
  }
  return found
}
