/**
 * The administrator's door to a running monitor: a UNIX socket in a folder that only root and the monitor can enter. One JSON
 * object on a line asks, one answers. Its permissions are the whole authentication.
 */
import { rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { reasonOf } from '../replay/error.js'

const MAX_LINE_BYTES = 64 * 1024
const MAX_CONNECTIONS = 16
/** A thousand resources full of leases are a tenth of it. */
const MAX_ANSWER_CHARS = 256 << 20
const IDLE_MS = 10_000

export const CONTROL_SOCKET = 'monitor/control.sock'

export type ControlRequest =
  | { readonly command: 'status' }
  /** Knocks and refusals with numbers above this one. */
  | { readonly command: 'log'; readonly since: number }
  | {
      readonly command: 'open' | 'revoke'
      readonly resource: number
      readonly address: string
      readonly lifetimeSeconds?: number
    }
  | { readonly command: 'down' | 'trust-clock' | 'confirm' | 'reload' | 'sleep' | 'wake' }

export type ControlAnswer =
  | { readonly ok: true; readonly [key: string]: unknown }
  | { readonly ok: false; readonly error: string }

/** Serves `answer` at `path`, whose folder must be the monitor's own. `answer` must not throw. */
export function serveControl(
  path: string,
  answer: (request: ControlRequest) => ControlAnswer | Promise<ControlAnswer>,
): Server {
  rmSync(path, { force: true })
  const server = createServer((socket) => {
    let line = ''
    socket.setEncoding('utf8')
    socket.setTimeout(IDLE_MS, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('data', async (chunk: string) => {
      line += chunk
      if (line.length > MAX_LINE_BYTES) socket.destroy()
      const end = line.indexOf('\n')
      if (end < 0) return
      const request = line.slice(0, end)
      line = ''
      socket.end(`${JSON.stringify(await answerLine(request, answer))}\n`)
    })
  })
  server.maxConnections = MAX_CONNECTIONS
  server.listen(path)
  return server
}

async function answerLine(
  line: string,
  answer: (request: ControlRequest) => ControlAnswer | Promise<ControlAnswer>,
): Promise<ControlAnswer> {
  try {
    return await answer(JSON.parse(line))
  } catch (error) {
    return { ok: false, error: reasonOf(error) }
  }
}

/** Why no daemon answered. `absent`: none runs. `denied`: not ours to ask. */
export class ControlError extends Error {
  override readonly name = 'ControlError'
  readonly code: 'absent' | 'denied' | 'broken'
  constructor(code: 'absent' | 'denied' | 'broken', message: string) {
    super(message)
    this.code = code
  }
}

/** What steers a terminal is taken out: root reads what a monitor says, which may have been taken over. */
function plain(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/(?!\n)\p{Cc}/gu, ' ') : value
}

/** Asks the monitor at `path`. Rejects with ControlError. */
export function askControl(path: string, request: ControlRequest, patienceMs = IDLE_MS): Promise<ControlAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    let text = ''
    socket.setEncoding('utf8')
    socket.setTimeout(patienceMs, () => socket.destroy(new Error(`no answer within ${patienceMs / 1000} s`)))
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`))
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.length > MAX_ANSWER_CHARS) socket.destroy(new Error('an answer without an end'))
    })
    socket.on('end', () => {
      try {
        resolve(JSON.parse(text, plain) as ControlAnswer)
      } catch {
        reject(new ControlError('broken', `${path}: the daemon's answer broke off`))
      }
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EACCES' || error.code === 'EPERM')
        reject(new ControlError('denied', `${path}: permission denied: run as root`))
      else if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')
        reject(new ControlError('absent', `${path}: no posternd runs here`))
      else reject(new ControlError('broken', `${path}: ${error.message}`))
    })
  })
}
