/** A number and its noun: "1 user", "2 users". Pure. */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
