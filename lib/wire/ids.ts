/**
 * The 32-bit numbers that name a user and a resource. Specification: letmein's "1 to 8 hex digits in any case, no 0x"
 * (docs/PROTOCOL.md, "Configuration"). Pure.
 */
export type UserId = number
export type ResourceId = number

const ID = /^[0-9a-fA-F]{1,8}$/

/** The id that 1–8 hex digits name (`1` and `00000001` are the same), or undefined where the text is none. */
export function parseId(text: string): number | undefined {
  return ID.test(text) ? Number.parseInt(text, 16) : undefined
}

/** An id as 8 upper-case hex digits, the form of every file, log line and comment. */
export function formatId(id: number): string {
  return (id >>> 0).toString(16).toUpperCase().padStart(8, '0')
}
