/** A command line that is wrong: exit code 2. The message holds the bad value and the expected form. */
export class UsageError extends Error {
  readonly code = 'usage'
  override readonly name = 'UsageError'
}
