/**
 * A process for the specs: admits, as fast as it can, the last 2,000 requests again and then new ones, on a real
 * directory, and prints the number of each that it accepted. Arguments: directory, first new number, how many new ones,
 * records of one segment.
 */
import { writeSync } from 'node:fs'
import { readBootId } from '../../lib/replay/boot-id.js'
import { openDirectory } from '../../lib/replay/disk.js'
import { openReplay } from '../../lib/replay/replay.js'
import { idOf, START_MS, WINDOW_MS } from './requests.js'

/** One line, whole, now: what is printed was accepted. The pipe does not block, so a full one is tried again. */
function say(line: string): void {
  const bytes = Buffer.from(`${line}\n`)
  for (;;) {
    try {
      if (writeSync(1, bytes) === bytes.length) return
      process.exit(2)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

const [path, first, count, segmentRecords] = process.argv.slice(2) as [string, string, string, string]
const monoMs = () => Number(process.hrtime.bigint() / 1000n) / 1000
const replay = openReplay({
  directory: openDirectory(path),
  bootId: readBootId(),
  now: { wallMs: START_MS, monoMs: monoMs() },
  segmentRecords: Number(segmentRecords),
  settings: {
    replayEntries: 1_000_000,
    windowMs: WINDOW_MS,
    untrustedBelowMs: 0,
    horizonMs: START_MS + 1e9,
    hearing: { wallMs: 0, monoMs: -1e12 },
  },
})
const { trusted, why } = replay.status()
say(trusted ? 'trusted' : `untrusted ${why}`)
for (let number = Math.max(0, Number(first) - 2000); number < Number(first) + Number(count); number++) {
  const now = { wallMs: START_MS, monoMs: monoMs() }
  const admission = replay.admit({ user: 1, id: idOf(number), timeMs: START_MS, expiresMs: START_MS + WINDOW_MS }, now)
  if (admission === 'fresh') say(`${number}`)
  else if (admission !== 'replayed') say(admission)
}
say(`end ${replay.status().journalRecords}`)
