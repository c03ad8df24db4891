/**
 * What `knock && ssh` waits for: runs each program of FILE to its end and then connects once, as an ordinary client does.
 * `node --import tsx then-connect.ts FILE`, whose JSON is an array of {program, address, port}. Prints the ms from the start
 * of the program to the connection of each; null where there was none within five seconds.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'

export interface Journey {
  readonly program: readonly string[]
  readonly address: string
  readonly port: number
}

const GIVE_UP_MS = 5_000

const journeys = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Journey[]
const times: (number | null)[] = []
for (const { program, address, port } of journeys) {
  const began = performance.now()
  const { status } = spawnSync(program[0]!, program.slice(1), { stdio: 'ignore' })
  times.push(status === 0 && (await connects(address, port)) ? performance.now() - began : null)
}
console.log(JSON.stringify(times))

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: GIVE_UP_MS })
    const end = (stands: boolean) => {
      socket.destroy()
      resolve(stands)
    }
    socket.on('connect', () => end(true))
    socket.on('timeout', () => end(false))
    socket.on('error', () => end(false))
  })
}
