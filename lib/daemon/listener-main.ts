/** The listener's program: what the starter gave it, wired up. It dies by being killed, after a word to the monitor where there is time. */
import { createHmac, randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { decodeNflog } from '../firewall/netlink/nflog.js'
import { readBootId } from '../replay/boot-id.js'
import { openDirectory } from '../replay/disk.js'
import { openReplay } from '../replay/replay.js'
import { openSalts } from '../replay/salts.js'
import { authInput } from '../wire/letmein.js'
import { createAnswers, zoneOf } from './answers.js'
import { readMonoMs, readNow } from './clock.js'
import { descriptor, parseDescriptors } from './descriptors.js'
import { encodeFrame, type Frame } from './frames.js'
import { LetmeinDesk } from './letmein-desk.js'
import { Listener } from './listener.js'
import { createLog } from './log.js'
import { jsonForm, textForm } from './log-forms.js'
import { widestWindowMs } from './past.js'
import { readLoop } from './read-loop.js'
import { MessageReader } from './settings.js'

/** Within the lead that tags have, and seldom enough to cost nothing at rest. */
const TICK_MS = 4000
const MAX_QUEUED_BYTES = 1 << 20

const { values } = parseArgs({ options: { dir: { type: 'string' }, 'salts-dir': { type: 'string' } } })
const descriptors = parseDescriptors(process.env['POSTERN_FDS'] ?? '')
const directory = values.dir ?? ''
const write = (line: string) => void writeSync(2, line)
const text = textForm(write, process.env['JOURNAL_STREAM'] !== undefined)
let isJson = false
const log = createLog(() => (isJson ? jsonForm(write) : text), readMonoMs)
const channel = new Socket({ fd: descriptor(descriptors, 'channel'), readable: true, writable: true })
const nonce = randomBytes(16)

function send(...frames: readonly Frame[]): boolean {
  if (channel.writableLength > MAX_QUEUED_BYTES) return false
  channel.write(frames.length === 1 ? encodeFrame(frames[0]!) : Buffer.concat(frames.map(encodeFrame)))
  return true
}

const listener = new Listener({
  now: readNow,
  send,
  breathe: () => new Promise(setImmediate),
  onReady: hear,
  openLetmein: (parts) =>
    new LetmeinDesk({
      ...parts,
      now: readNow,
      random: randomBytes,
      // Five times as quick as noble's, on the way of every KNOCK of a known user.
      authOf: (key, message, challenge) => createHmac('sha3-256', key).update(authInput(message, challenge)).digest(),
      openSalts: () => {
        const salts = openSalts({
          directory: openDirectory(values['salts-dir'] ?? ''),
          seed: randomBytes(4).readUInt32BE(),
        })
        const { why } = salts.status().found
        if (why !== undefined) log.warn(why)
        return salts
      },
      openAnswers: (lastsMs) => createAnswers(lastsMs, zoneOf, log.warn),
      onError: log.error,
    }),
  openReplay: (start, settings, horizonMs) => {
    const now = readNow()
    const replay = openReplay({
      directory: openDirectory(directory),
      bootId: readBootId(),
      now,
      settings: {
        ...start,
        horizonMs,
        windowMs: widestWindowMs(settings),
      },
    })
    const status = replay.status()
    if (!status.trusted) {
      const wait = Math.max(0, Math.ceil((start.untrustedBelowMs - now.wallMs) / 1000))
      const from = new Date(start.untrustedBelowMs).toISOString()
      // At each first start of a boot; where nobody has to wait, nothing is wrong.
      if (wait === 0) log.info(`the replay journal begins anew (${status.why}): knocks made after ${from} are accepted`)
      else
        log.warn(
          `the replay journal is not trusted (${status.why}): knocks are refused for ${wait} s, until their time is above ${from}`,
        )
    }
    return replay
  },
})

function hear(): void {
  readLoop(
    descriptor(descriptors, 'nflog'),
    (bytes) => {
      for (const packet of decodeNflog(bytes)) listener.heard(packet)
    },
    () => listener.counters.count('overrun'),
    (error) => end(`hearing ended: ${error.message}`),
  )
  setInterval(() => listener.tick(), TICK_MS)
}

function end(why: string): never {
  log.error(`listener: ${why}`)
  process.kill(process.pid, 'SIGKILL') // a read that blocks in a thread would hold process.exit() up for ever
  throw new Error(why)
}

const messages = new MessageReader(nonce)
channel.on('data', (chunk) => {
  for (const message of messages.push(chunk)) {
    if ('settings' in message) isJson = message.settings.isLogJson ?? false
    listener.message(message)
  }
})
channel.on('error', (error) => end(`the monitor is gone: ${error.message}`))
channel.on('close', () => end('the monitor is gone'))
// When all three get one, from a terminal say: the monitor has a word to say first, and the starter ends us.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => {})
process.on('uncaughtException', (error) => end(error.stack ?? error.message))
send({ kind: 'hello', nonce })
