/** Where the program's main takes the two clocks from; everything else gets the moment handed in. */
import type { Now } from '../replay/clock.js'

/** Two clocks read further apart than this were read on either side of something else's turn at the processor. */
const APART_MS = 20
const TRIES = 5

/**
 * This moment. `process.hrtime` counts from the boot, so it goes on over restarts (`performance.now` does not). A process that
 * has to wait between the two reads would take that for a clock that was set: it reads again.
 */
export function readNow(): Now {
  let now: Now
  let tries = 0
  do {
    const monoMs = readMonoMs()
    now = { wallMs: Date.now(), monoMs }
  } while (readMonoMs() - now.monoMs > APART_MS && ++tries < TRIES)
  return now
}

/** A wall clock that moved by more than this against the monotonic one was set by somebody. */
const STEP_MS = 1000

/** A function that says by how much the wall clock was set since it was asked last, ms; 0: it was not. */
export function stepWatch({ wallMs, monoMs }: Now): (now: Now) => number {
  let lead = wallMs - monoMs
  return (now) => {
    const step = now.wallMs - now.monoMs - lead
    lead += step
    return Math.abs(step) > STEP_MS ? step : 0
  }
}

/** CLOCK_MONOTONIC in ms. */
export function readMonoMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000
}
