/** One line of the table: what was measured, and what it is held against. */
export interface Row {
  readonly what: string
  /** Where it was measured again and again; median, least and most are shown. */
  readonly samples?: readonly number[]
  readonly unit?: string
  /** Where it is no distribution, or could not be measured: in words. */
  readonly found?: string
  /** The samples' median against this one of the same run. */
  readonly against?: { readonly what: string; readonly median: number }
  /** What it should be, in words; empty: it is only there to compare with. */
  readonly goal: string
}

export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly n: number
}

/** Nothing where there are no samples. */
export function summaryOf(samples: readonly number[] = []): Summary | undefined {
  if (samples.length === 0) return undefined
  const sorted = samples.toSorted((a, b) => a - b)
  return { median: median(samples), min: sorted[0]!, max: sorted.at(-1)!, n: samples.length }
}

/** The middle one; of an even number, between the two in the middle. Throws RangeError where there is none. */
export function median(samples: readonly number[]): number {
  if (samples.length === 0) throw new RangeError('0 samples: expected 1 or more')
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
