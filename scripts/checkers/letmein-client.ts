/** What the client makes of whatever a server answers. */
import { LetmeinExchange } from '../../lib/client/letmein-exchange.js'
import { decode } from '../../lib/wire/letmein.js'
import { type Fields, wholeOf, wrong } from './shape.js'

/** What is not as the file says it. Throws ShapeError where the entry is none. */
export function differencesOfClientSide(fields: Fields, where: string): string[] {
  const answers = datagramsOf(fields, where)
  const sentThere = operationsOf(fields, where)
  const hasSucceededThere = wholeOf(fields, 'client_exit_status', where) === 0
  const client = new LetmeinExchange({
    operation: sentThere[0] === 'REVOKE' ? 'REVOKE' : 'KNOCK',
    user: 1,
    resource: 2,
    key: new Uint8Array(32).fill(7),
    random: (length) => new Uint8Array(length),
  })
  const sent = [client.first()]
  const queue = [...(answers[0] ?? [])]
  let end: 'done' | 'failed' | undefined
  for (let next = queue.shift(); next !== undefined && end === undefined; next = queue.shift()) {
    const step = client.feed(next)
    if (step.kind === 'done' || step.kind === 'failed') end = step.kind
    if (step.kind !== 'send') continue
    sent.push(step.bytes)
    queue.push(...(answers[sent.length - 1] ?? []))
  }
  const words = sent.map((bytes) => {
    const message = decode(bytes)
    return 'why' in message ? message.why : message.operation
  })
  const found: string[] = []
  if (words.join() !== sentThere.join()) found.push(`sent: ${words.join()} here, ${sentThere.join()} in the file`)
  if ((end === 'done') !== hasSucceededThere)
    found.push(`end: ${end ?? 'nothing more comes'} here, ${hasSucceededThere ? 'done' : 'failed'} in the file`)
  return found
}

/** `server_answers`: for each datagram of the client's, those that it gets. */
function datagramsOf(fields: Fields, where: string): Uint8Array[][] {
  const lists = fields['server_answers']
  const isHex = (text: unknown) => typeof text === 'string' && /^([0-9a-fA-F]{2})*$/.test(text)
  if (!Array.isArray(lists) || !lists.every((list) => Array.isArray(list) && list.every(isHex)))
    throw wrong(`${where}.server_answers`, lists, 'lists of datagrams as hex digits')
  return lists.map((list: string[]) => list.map((text) => Uint8Array.from(Buffer.from(text, 'hex'))))
}

function operationsOf(fields: Fields, where: string): string[] {
  const words = fields['client_sent']
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string'))
    throw wrong(`${where}.client_sent`, words, 'a list of operations')
  return words
}
