/** What differs between ours and the file's, in words; nothing where they are the same. */

/** The value, or why there is none. */
export function attempt<T extends object>(make: () => T): T | string {
  try {
    return make()
  } catch (error) {
    return (error as Error).message
  }
}

/** Says where bytes differ, not what all of them are: some are keys. */
export function compareBytes(what: string, make: () => Uint8Array, theirs: Uint8Array): string[] {
  const ours = attempt(make)
  if (typeof ours === 'string') return [`${what}: ${ours}`]
  if (ours.length !== theirs.length) return [`${what}: ${ours.length} bytes here, ${theirs.length} in the file`]
  const at = ours.findIndex((byte, i) => byte !== theirs[i])
  return at < 0 ? [] : [`${what}: byte ${at} is ${ours[at]} here, ${theirs[at]} in the file`]
}

export function compareFields(what: string, ours: unknown, theirs: unknown): string[] {
  const [here, there] = [ours, theirs].map((value) => JSON.stringify(value, inOrder))
  return here === there ? [] : [`${what}: ${here} here, ${there} in the file`]
}

/** JSON.stringify's replacer: fields in the order of their names, bytes as hex. */
function inOrder(_name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
