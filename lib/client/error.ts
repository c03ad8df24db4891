/** Why a knock did not happen. The message is one sentence with the bad value and what to do; never a key. */
export type KnockErrorCode =
  /** The host's name has no address of the families asked for, or could not be looked up. */
  | 'resolve'
  /** Not one datagram could be handed to the network. */
  | 'send'
  /** The port that was to be connected to did not open. */
  | 'shut'
  /** An option is out of its range or contradicts another. */
  | 'option'

export class KnockError extends Error {
  override readonly name = 'KnockError'
  readonly code: KnockErrorCode

  constructor(code: KnockErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
