/** What there is, where a name on the command line is none of it. Pure. */

const SHOWN = 12

/** "alice, bob, 0000000C and 3 more"; "none". */
export function knownWords(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''
  return `${names.slice(0, SHOWN).join(', ')}${more}`
}
