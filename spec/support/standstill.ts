/**
 * Where a machine stands still for a moment, because its host lends the processor to others, the peers of a spec give up by
 * clocks that go on. That is not what the spec is about.
 */

const BEAT_MS = 20
/** A beat that comes so late shows a standstill. */
const STANDSTILL_MS = 250
const TRIES = 5

/** What `act` gives; anew where that is not well and the machine stood still meanwhile. */
export async function despiteStandstill<T>(act: () => Promise<T>, isWell: (value: T) => boolean): Promise<T> {
  for (let triesLeft = TRIES - 1; ; triesLeft--) {
    let last = performance.now()
    let longest = 0
    const beat = () => {
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
    }
    const beating = setInterval(beat, BEAT_MS)
    try {
      const value = await act()
      beat()
      if (triesLeft === 0 || isWell(value) || longest < STANDSTILL_MS) return value
    } finally {
      clearInterval(beating)
    }
  }
}
