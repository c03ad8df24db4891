/**
 * Questions on a terminal, and what comes by standard input instead. Questions go to standard error, so that standard output
 * stays the command's result.
 */
import { readSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'

const MOST_INPUT_BYTES = 64 * 1024

/** Whether somebody can be asked. */
export function isTerminal(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true
}

/** Asks one question after the other; each answer is trimmed. An end of the input is an empty answer to all that follows. */
export class Questions {
  readonly #lines = createInterface({ input: process.stdin, output: process.stderr })
  #isOver = false
  readonly #over: Promise<string>

  constructor() {
    this.#over = new Promise((resolve) => {
      this.#lines.once('close', () => {
        this.#isOver = true
        resolve('')
      })
    })
    // Ctrl-C ends the program as anywhere else; readline would keep it.
    this.#lines.once('SIGINT', () => {
      process.stderr.write('\n')
      process.exit(130)
    })
  }

  /** The answer, or `preset` where it is empty. `misfit` says what is wrong with it: then it is asked again. */
  async ask(
    question: string,
    preset: string,
    misfit: (answer: string) => string | undefined = () => undefined,
  ): Promise<string> {
    for (;;) {
      const asked = this.#isOver
        ? ''
        : await Promise.race([this.#lines.question(`${question} [${preset}] `), this.#over])
      const answer = asked.trim() || preset
      const wrong = misfit(answer)
      if (wrong === undefined || this.#isOver) return answer
      process.stderr.write(`  ${wrong}\n`)
    }
  }

  /** Yes or no; nothing is yes. */
  async isFine(question: string): Promise<boolean> {
    const answer = await this.ask(question, 'Y/n', (text) =>
      /^(y|yes|n|no|y\/n)$/i.test(text) ? undefined : 'expected y or n',
    )
    return !/^n/i.test(answer)
  }

  close(): void {
    this.#lines.close()
  }
}

/** A line typed or pasted on the terminal that is not shown there. Ends the program at Ctrl-C. */
export function askUnseen(question: string): Promise<string> {
  const { stdin } = process
  // First: what is pasted the moment that the question is there must not be shown.
  stdin.setRawMode(true)
  process.stderr.write(question)
  stdin.setEncoding('utf8')
  return new Promise((resolve) => {
    let typed = ''
    const finish = () => {
      stdin.off('data', take).off('end', finish)
      stdin.setRawMode(false)
      stdin.pause()
      process.stderr.write('\n')
      resolve(typed)
    }
    function take(chunk: string): void {
      // Terminals put these around what is pasted.
      for (const character of chunk.replaceAll('\u001b[200~', '').replaceAll('\u001b[201~', '')) {
        if (character === '\r' || character === '\n' || character === '\u0004') {
          finish()
          return
        }
        if (character === '\u0003') {
          finish()
          process.exit(130)
        }
        if (character === '\u007f' || character === '\b') typed = typed.slice(0, -1)
        else if (character === '\u0015') typed = ''
        else if (typed.length < MOST_INPUT_BYTES) typed += character
      }
    }
    stdin.on('data', take).on('end', finish).resume()
  })
}

/** All of standard input, at most 64 KiB of it. */
export function readInput(): string {
  const chunks: Buffer[] = []
  const chunk = Buffer.alloc(16 * 1024)
  for (let total = 0; total < MOST_INPUT_BYTES; ) {
    const count = readSome(chunk)
    if (count === 0) break
    chunks.push(Buffer.from(chunk.subarray(0, count)))
    total += count
  }
  return Buffer.concat(chunks).toString('utf8')
}

function readSome(chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(0, chunk)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EOF') return 0 // Windows
      if (code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}
