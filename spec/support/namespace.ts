/** One host of the laboratory: a network namespace, programs that run in it, and what can be tried from it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import type { Calls, ConnectOutcome, Heard, Target } from './agent.js'
import { Capture } from './capture.js'
import { Child } from './child.js'

export interface Outcome {
  /** undefined where a signal ended it. */
  readonly status: number | undefined
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

/** How long a try waits for a host on a 0 ms link before it calls it silent, ms. */
const SILENCE_MS = 200
/** The same for a connection that is to stay: the other end's process may be busy, and silence is hardly ever what is asked for. */
const ANSWER_MS = 1_000

export class Namespace {
  /** Its addresses, canonical text. */
  readonly v4: string
  readonly v6: string
  readonly #path: string
  readonly #captures: Capture[] = []
  readonly #children: Child[] = []
  #agent: Agent | undefined

  constructor(name: string, addresses: { v4: string; v6: string }) {
    this.v4 = addresses.v4
    this.v6 = addresses.v6
    this.#path = `/run/netns/${name}`
  }

  /** Runs a program to its end. Never throws for what the program says; see `must`. */
  run(argv: readonly string[], { input, env, timeoutMs = 60_000 }: RunOptions = {}): Promise<Outcome> {
    const [program, ...rest] = this.#inside(argv)
    return new Promise((resolve) => {
      const options = {
        env: { ...process.env, ...env },
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: 64 << 20,
      } as const
      const child = execFile(program!, rest, options, (error, stdout, stderr) => {
        const status = error === null ? 0 : error.code
        resolve({ status: typeof status === 'number' ? status : undefined, stdout, stderr })
      })
      child.stdin!.on('error', () => {})
      child.stdin!.end(input ?? '')
    })
  }

  /** The same for a program that has to succeed: its stdout. */
  async must(argv: readonly string[], options?: RunOptions): Promise<string> {
    const { status, stdout, stderr } = await this.run(argv, options)
    if (status !== 0) throw new Error(`${argv.join(' ')}: exit ${status}: ${stderr}${stdout}`)
    return stdout
  }

  /** Starts a program that goes on. It ends with the laboratory at the latest. */
  spawn(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
    const child = new Child(this.#inside(argv), { ...process.env, ...env })
    this.#children.push(child)
    return child
  }

  /** Settings that this kernel does not have in a namespace are left as they are. */
  async sysctl(settings: Readonly<Record<string, string | number>>): Promise<void> {
    await this.must(['sysctl', '-qew', ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)])
  }

  /** What one connection attempt meets. */
  connect(address: string, port: number, timeoutMs = SILENCE_MS): Promise<ConnectOutcome> {
    return this.#ask('connect', { target: { address, port }, timeoutMs })
  }

  /** A connection that stays, to see what becomes of it. Throws where it does not come about. */
  async hold(address: string, port: number, timeoutMs = ANSWER_MS): Promise<Held> {
    const id = await this.#ask('hold', { target: { address, port }, timeoutMs })
    return { talk: () => this.#ask('talk', { id, timeoutMs }) }
  }

  /** A TCP server on all addresses that says back what it hears. */
  echo(port: number): Promise<void> {
    return this.#ask('echo', { port })
  }

  /** Sends datagrams, each as it is. */
  send(address: string, port: number, datagrams: readonly Uint8Array[], sourcePort = 0): Promise<void> {
    return this.#ask('send', { target: { address, port }, base64: datagrams.map(base64), sourcePort })
  }

  /** Sends datagrams and connects right behind them, with nothing between. */
  sendAndConnect(
    target: Target,
    datagrams: readonly Uint8Array[],
    port: number,
  ): Promise<{ outcome: ConnectOutcome; ms: number }> {
    return this.#ask('sendAndConnect', { target, base64: datagrams.map(base64), port })
  }

  /** Sends datagrams and connects again and again until one attempt succeeds, for at most a second. */
  sendUntilOpen(
    target: Target,
    datagrams: readonly Uint8Array[],
    port: number,
  ): Promise<{ outcome: ConnectOutcome; ms: number }> {
    return this.#ask('sendUntilOpen', { target, base64: datagrams.map(base64), port })
  }

  /** Exactly `count` datagrams of random bytes behind `prefix`. Gives back how long it took, ms. */
  flood(target: Target, of: { count: number; bytes: number; perSecond: number; prefix?: Uint8Array }): Promise<number> {
    const { prefix = new Uint8Array(), ...rest } = of
    return this.#ask('flood', { target, ...rest, prefixBase64: base64(prefix) })
  }

  /** From now on keeps what arrives at a UDP port; `heard` tells. */
  listen(port: number): Promise<void> {
    return this.#ask('listen', { port })
  }

  heard(port: number): Promise<Heard[]> {
    return this.#ask('heard', { port })
  }

  /** From now on keeps every packet of every interface. */
  async capture(): Promise<Capture> {
    const capture = await Capture.start(this.#inside([]), (mark) => this.send('127.0.0.1', 9, [mark]))
    this.#captures.push(capture)
    return capture
  }

  /** Ends what was started here. */
  async close(): Promise<void> {
    this.#agent?.close()
    for (const capture of this.#captures) capture.stop()
    await Promise.all(this.#children.map((child) => (child.running ? child.kill9() : undefined)))
  }

  #inside(argv: readonly string[]): string[] {
    return ['nsenter', `--net=${this.#path}`, '--', ...argv]
  }

  #ask<Name extends keyof Calls>(call: Name, args: Parameters<Calls[Name]>[0]): ReturnType<Calls[Name]> {
    this.#agent ??= new Agent(this.#inside([process.execPath, '-e', agentProgram()]))
    return this.#agent.ask(call, args) as ReturnType<Calls[Name]>
  }
}

/** A connection that was held. */
export interface Held {
  /** Whether the other end still answers: says a word and waits for its echo. */
  talk(): Promise<'answered' | 'closed' | 'silent'>
}

class Agent {
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  #lastId = 0

  constructor([program, ...rest]: readonly string[]) {
    this.#process = spawn(program!, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#process.on('message', ({ id, value, error }: { id: number; value?: unknown; error?: string }) => {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(value)
      else waiting?.reject(new Error(error))
    })
    this.#process.on('exit', (status) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the namespace's agent ended: ${status}`))
    })
  }

  ask(call: keyof Calls, args: unknown): Promise<unknown> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#process.send({ id, call, args })
    })
  }

  close(): void {
    this.#process.disconnect()
  }
}

let bundled: string | undefined

/** agent.ts as one script: a plain `node -e` starts in a tenth of the time of a TypeScript loader. */
function agentProgram(): string {
  bundled ??= buildSync({
    entryPoints: [fileURLToPath(new URL('agent.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    target: 'node20',
    write: false,
  }).outputFiles[0]!.text
  return bundled
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
