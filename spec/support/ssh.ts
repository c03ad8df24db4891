/** The user's side of a real ssh: his configuration, with the lines that postern prints, and his commands. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startSshd } from '../../scripts/demo-sshd.js'
import type { Child } from './child.js'
import { clientOf } from './client.js'
import type { Namespace, Outcome, RunOptions } from './namespace.js'
import type { Story } from './story.js'

export type Form = 'fdpass' | 'pipe' | 'match-exec'

export class SshUser {
  readonly #story: Story
  readonly #at: Namespace
  readonly config: string
  /** Where ssh looks for `postern`. */
  readonly #env: Readonly<Record<string, string>>

  /** Whose ssh knows the guarded server, in one of three ways. `host`: as he calls it. */
  constructor(story: Story, form: Form, { host = story.server.v4, options = [] as readonly string[] } = {}) {
    this.#story = story
    this.#at = story.client
    this.#env = { PATH: `${story.postern.folder}/bin:${process.env['PATH']}` }
    this.config = join(story.folder, `ssh_config.${form}.${host.replace(/[^a-z0-9]/g, '-')}${options.length}`)
    this.#host = host
    this.#form = form
    this.#options = options
  }
  readonly #host: string
  readonly #form: Form
  readonly #options: readonly string[]

  /** Asks `postern ssh-config` for the lines and puts them ahead of what else ssh needs here. */
  async configure(): Promise<this> {
    const { postern } = this.#story
    const form = this.#form === 'fdpass' ? [] : [`--${this.#form}`]
    const more = ['--config', postern.clientConfig, ...form, ...this.#options]
    const lines = await this.#at.must([clientOf(postern.folder), 'ssh-config', this.#host, ...more], { env: this.#env })
    writeFileSync(this.config, `${lines}Host *\n${readFileSync(join(this.#story.folder, 'ssh_config'), 'utf8')}`)
    return this
  }

  /** Runs `ssh`, `scp`, `sftp` with his configuration. */
  run(program: 'ssh' | 'scp' | 'sftp', words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return this.#at.run([program, '-F', this.config, ...words], { ...options, env: { ...this.#env, ...options.env } })
  }

  /** The same for what has to succeed: its stdout. Nothing may be said on stderr. */
  async must(program: 'ssh' | 'scp' | 'sftp', words: readonly string[], options?: RunOptions): Promise<string> {
    const { status, stdout, stderr } = await this.run(program, words, options)
    if (status !== 0 || stderr !== '')
      throw new Error(`${program} ${words.join(' ')}: exit ${status}: ${stderr}${stdout}`)
    return stdout
  }

  /** Runs a command line as a shell would, with `$SSH` for his ssh. */
  shell(line: string, options: RunOptions = {}): Promise<Outcome> {
    return this.#at.run(['sh', '-c', line], {
      ...options,
      env: { ...this.#env, SSH: `ssh -F ${this.config}`, ...options.env },
    })
  }

  spawn(words: readonly string[]): Child {
    return this.#at.spawn(['ssh', '-F', this.config, ...words], this.#env)
  }

  /** Also in his configuration from now on. */
  add(text: string): void {
    appendFileSync(this.config, text)
  }
}

/** An sshd of its own, in a folder of its own, at a host of the laboratory. */
export function sshdAt(server: Namespace, folder: string): Promise<Child> {
  mkdirSync(folder, { recursive: true })
  return startSshd({ server, folder })
}
