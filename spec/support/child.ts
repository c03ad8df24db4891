/** A program that runs on while a spec watches it. It dies with the process that started it, however that one ends. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { poll } from './poll.js'

export interface Exit {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
}

export class Child {
  /** Everything said so far on stdout and stderr, in the order in which it came, a line each. */
  readonly lines: string[] = []
  readonly exited: Promise<Exit>
  readonly pid: number
  readonly #process: ChildProcess
  #exit: Exit | undefined
  #allSaid = false
  /** Once the last of those that inherited its stdout has ended: no line comes after. */
  readonly closed: Promise<void>

  constructor(argv: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    const [program, ...rest] = ['setpriv', '--pdeathsig', 'KILL', '--', ...argv]
    this.#process = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'pipe'], env })
    if (this.#process.pid === undefined) throw new Error(`${argv.join(' ')}: setpriv (util-linux) did not start`)
    this.pid = this.#process.pid
    for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => this.lines.push(line))
    }
    this.exited = new Promise((resolve) => {
      this.#process.once('exit', (status, signal) => {
        this.#exit = { status, signal }
        resolve(this.#exit)
      })
    })
    this.closed = new Promise((resolve) => {
      this.#process.once('close', () => {
        this.#allSaid = true
        resolve()
      })
    })
  }

  get running(): boolean {
    return this.#exit === undefined
  }

  /** The first line from number `since` on that matches. Throws with all lines where the program ends without it. */
  async waitLine(pattern: RegExp, within = 30_000, since = 0): Promise<RegExpExecArray> {
    const find = () => {
      for (const line of this.lines.slice(since)) {
        const match = pattern.exec(line)
        if (match) return match
      }
      return undefined
    }
    const seen = await poll(
      () => `a line like ${pattern} among:\n  ${this.lines.join('\n  ')}\n`,
      () => find() ?? (this.#allSaid ? 'ended' : undefined),
      { within },
    )
    if (seen !== 'ended') return seen as RegExpExecArray
    throw new Error(
      `ended (${JSON.stringify(this.#exit)}) without a line like ${pattern}:\n  ${this.lines.join('\n  ')}`,
    )
  }

  /** The processes below it, by /proc, nearest first. */
  descendants(): number[] {
    const below = (pid: number): number[] => childrenOf(pid).flatMap((child) => [child, ...below(child)])
    return below(this.pid)
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name)
  }

  /** SIGTERM, and its exit. */
  async stop(): Promise<Exit> {
    this.signal('SIGTERM')
    return this.exited
  }

  async kill9(): Promise<Exit> {
    this.signal('SIGKILL')
    return this.exited
  }
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return text.split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}
