/**
 * From fwknop's packet to the open port: sends one and tries to connect each millisecond until one attempt stands, as a flood of
 * clients would. `node --import tsx packet-to-open.ts FILE`, whose JSON is {address, udpPort, key, hmac, ports}. Prints the ms of
 * each port; null where it was shut for five seconds.
 */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { randDigits, sealFwknop } from '../../lib/wire/fwknop.js'

export interface PacketToOpen {
  readonly address: string
  readonly udpPort: number
  readonly key: string
  readonly hmac: string
  readonly ports: readonly number[]
}

const GIVE_UP_MS = 5_000
const EVERY_MS = 1

const { address, udpPort, key, hmac, ports } = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as PacketToOpen
const socket = createSocket('udp4')
const times: (number | null)[] = []
for (const port of ports) {
  const packet = sealed(port)
  const began = performance.now()
  await new Promise((resolve) => socket.send(packet, udpPort, address, resolve))
  times.push((await opens(port)) ? performance.now() - began : null)
}
socket.close()
console.log(JSON.stringify(times))

function sealed(port: number): string {
  const keys = { key: Buffer.from(key), mode: 'cbc', hmac: { key: Buffer.from(hmac), digest: 'sha256' } } as const
  const message = {
    rand: randDigits(randomBytes(8)),
    username: 'bench',
    timeSeconds: Math.floor(Date.now() / 1000),
    version: '3.0.0',
    type: 1,
    message: `0.0.0.0,tcp/${port}`,
    timeoutSeconds: 0,
    digest: 'sha256',
  } as const
  return sealFwknop(message, keys, randomBytes(8))
}

/** Many attempts at once: each is one SYN, for a lost one is sent again only after a second. */
function opens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const attempts = new Set<Socket>()
    const end = (isOpen: boolean) => {
      clearInterval(timer)
      clearTimeout(limit)
      for (const attempt of attempts) attempt.destroy()
      resolve(isOpen)
    }
    const attempt = () => {
      const one = connect(port, address)
      attempts.add(one)
      one.on('connect', () => end(true))
      one.on('error', () => attempts.delete(one))
    }
    const timer = setInterval(attempt, EVERY_MS)
    const limit = setTimeout(() => end(false), GIVE_UP_MS)
    attempt()
  })
}
