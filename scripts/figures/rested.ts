/**
 * What work costs a processor that has rested: a knock comes alone, and by then what the caches held of us is gone. It bounds
 * what fewer wakes could save of a knock's way (docs/ARCHITECTURE.md, "Where a knock's time goes").
 */
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { RECORD_BYTES } from '../../lib/replay/record.js'
import { NONCE_BYTES, open, seal } from '../../lib/wire/spa.js'
import { KEY_BYTES, TAG_BYTES } from '../../lib/wire/spa-keys.js'
import { pause } from '../../spec/support/poll.js'
import { median, type Row } from './row.js'

const WARM_UP = 2_000
const MEASURED = 50
const REST_MS = 50

/** Two steps of a knock's way, in this process: its seal is opened, a record of the journal's length is appended in `folder`. */
export async function rested(folder: string): Promise<Row> {
  const file = openSync(join(folder, 'rested'), 'a')
  try {
    const [key, tag] = [randomBytes(KEY_BYTES), randomBytes(TAG_BYTES)]
    const knock = {
      operation: 'open',
      user: 1,
      resource: 1,
      timeMs: Date.now(),
      lifetimeSeconds: 0,
      instant: false,
    } as const
    const datagram = seal(knock, key, tag, randomBytes(NONCE_BYTES), 0)
    const record = Buffer.alloc(RECORD_BYTES)
    const time = () => {
      const began = performance.now()
      if ('why' in open(datagram, key)) throw new Error('a datagram of ours was not opened')
      writeSync(file, record)
      return performance.now() - began
    }
    const busy = Array.from({ length: WARM_UP }, time).slice(-MEASURED)
    const samples: number[] = []
    while (samples.length < MEASURED) {
      await pause(REST_MS)
      samples.push(time())
    }
    return {
      what: `a seal opened and ${RECORD_BYTES} bytes written, after ${REST_MS} ms of rest`,
      unit: 'ms',
      samples,
      against: { what: 'the same without rest', median: median(busy) },
      goal: 'what a cold start of each step costs here',
    }
  } finally {
    closeSync(file)
  }
}
