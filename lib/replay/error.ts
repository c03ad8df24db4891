/** What the replay room cannot go on from. Never holds an id, a key or a datagram. */
export type ReplayErrorCode =
  /** The directory of journal or horizon cannot be used safely. */
  | 'directory'
  /** The kernel does not say which boot this is. */
  | 'boot-id'
  /** No journal could be started. */
  | 'journal'
  /** The horizon could not be written ahead. */
  | 'horizon'
  /** The salts cannot be read, or not be added to. */
  | 'salts'

export class ReplayError extends Error {
  override readonly name = 'ReplayError'
  readonly code: ReplayErrorCode

  constructor(code: ReplayErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** What went wrong, as the tail of a sentence. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
