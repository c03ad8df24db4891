/** A QR code for a terminal: two modules a character, dark on light whatever the terminal's own colours are. Pure. */
/** As the standard has it. */
const QUIET = 4
/** Bright white for the light; before it plain white, for a terminal that does not know the bright ones. */
const DARK_ON_LIGHT = '\u001b[30;47;107m'
const RESET = '\u001b[0m'

/** How many columns of a terminal the drawing of a code takes. */
export function qrColumns(code: readonly unknown[]): number {
  return code.length + 2 * QUIET
}

/** Lines without an end at the last. */
export function drawQr(code: readonly (readonly boolean[])[]): string {
  const size = code.length
  const isDark = (x: number, y: number) => code[y]?.[x] ?? false
  const lines: string[] = []
  for (let y = -QUIET; y < size + QUIET; y += 2) {
    let line = ''
    for (let x = -QUIET; x < size + QUIET; x++) line += ' ▀▄█'[(isDark(x, y) ? 1 : 0) + (isDark(x, y + 1) ? 2 : 0)]
    lines.push(`${DARK_ON_LIGHT}${line}${RESET}`)
  }
  return lines.join('\n')
}
