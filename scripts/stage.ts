/** What the demo tells and shows: hosts with prompts, real commands and what they print. A step that fails ends it. */
import type { Namespace, Outcome } from '../spec/support/namespace.js'

export function say(text: string): void {
  console.log(`\n${text}`)
}

/** Throws where the demo does not show what it says. */
export function insist(holds: boolean, what: string): void {
  if (!holds) throw new Error(`this should have been so: ${what}`)
}

/** A host with a prompt. */
export class Actor {
  readonly #host: Namespace
  readonly #prompt: string
  readonly #env: Readonly<Record<string, string>>

  constructor(prompt: string, host: Namespace, env: Readonly<Record<string, string>>) {
    this.#host = host
    this.#prompt = prompt
    this.#env = env
  }

  /** Shows a command line without running it. */
  show(command: string, output = ''): void {
    console.log(`  ${this.#prompt} ${command}`)
    for (const line of output.trimEnd().split('\n')) if (line !== '') console.log(`      ${line}`)
  }

  /** Runs a command line as a shell would, and shows both it and all that it prints. */
  async type(command: string): Promise<Outcome> {
    const outcome = await this.#host.run(['sh', '-c', `{ ${command}\n} 2>&1`], { env: this.#env })
    this.show(command, outcome.stdout)
    return outcome
  }

  /** The same for a command that has to succeed. */
  async must(command: string): Promise<string> {
    const { status, stdout } = await this.type(command)
    insist(status === 0, `exit 0 of: ${command}`)
    return stdout
  }

  /** The same for a connection that has to fail. */
  async cannot(command: string): Promise<void> {
    const { status } = await this.type(command)
    insist(status !== 0, `no way in by: ${command}`)
  }
}
