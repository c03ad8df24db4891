/** A replay window on a directory of a spec's, that hears since long ago and may accept far ahead where not said otherwise. */
import { openReplay, type Replay } from '../../lib/replay/replay.js'
import type { MountedDisk } from './memory-disk.js'
import { BOOT, START_MS, WINDOW_MS } from './requests.js'

export function openAt(
  directory: MountedDisk,
  now: { wallMs: number; monoMs: number },
  settings: { hearing?: typeof now; untrustedBelowMs?: number; horizonMs?: number } = {},
): Replay {
  return openReplay({
    directory,
    bootId: BOOT,
    now,
    segmentRecords: 8,
    settings: {
      replayEntries: 200,
      windowMs: WINDOW_MS,
      untrustedBelowMs: 0,
      horizonMs: START_MS + 1e9,
      hearing: { wallMs: 0, monoMs: now.monoMs - 1e12 },
      ...settings,
    },
  })
}
