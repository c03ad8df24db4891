/** A program on a terminal of its own (script, of util-linux), whose questions a spec answers. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { shellWord } from '../../lib/config/permissions.js'
import { poll } from '../support/poll.js'

export interface OnTerminal {
  /** All that was shown so far. */
  readonly shown: string
  /** Waits until this is shown, behind what was answered last, and types the answer. */
  answer(question: RegExp, answer: string): Promise<void>
  /** Its exit code. */
  ended(): Promise<number | null>
}

export function onTerminal(argv: readonly string[], env: Readonly<Record<string, string>>): OnTerminal {
  const child = spawn('script', ['-qec', argv.map(shellWord).join(' '), '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let shown = ''
  let answered = 0
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    shown += chunk
  })
  const end = once(child, 'close').then(([code]) => code as number | null)
  return {
    get shown() {
      return shown
    },
    async answer(question, answer) {
      await poll(
        () => `it asks ${question}; it showed: ${shown}`,
        async () => question.test(shown.slice(answered)),
        {
          within: 30_000,
        },
      )
      answered = shown.length
      child.stdin.write(`${answer}\r`)
    },
    ended: () => end,
  }
}
