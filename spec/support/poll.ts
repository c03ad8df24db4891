/** The one way in which specs, demo and benchmarks wait: look until it is so. */
export interface Patience {
  /** How long to go on looking, ms; long where nothing is said, for it decides nothing but when a hang is one. */
  readonly within?: number
  /** Pause between two looks, ms. */
  readonly every?: number
}

/**
 * The first truthy value that `look` gives. Throws, with the description and the last value seen, where there is none in
 * time; an error that `look` throws counts as "not yet" and is told where it was the last.
 */
export async function poll<T>(
  description: string | (() => string),
  look: () => T | Promise<T>,
  { within = 20_000, every = 10 }: Patience = {},
): Promise<NonNullable<T>> {
  const end = performance.now() + within
  let last: unknown
  for (;;) {
    try {
      const value = await look()
      if (value) return value
      last = value
    } catch (error) {
      last = error
    }
    const what = () => (typeof description === 'string' ? description : description())
    if (performance.now() >= end) throw new Error(`${what()}: not within ${within} ms; last seen: ${show(last)}`)
    await pause(every)
  }
}

/** Lets `ms` pass. Only for rhythms (polls, paced floods), never to decide whether something holds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function show(value: unknown): string {
  if (value instanceof Error) return value.message
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
}
