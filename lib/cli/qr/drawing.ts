/** A QR code for a terminal: two modules a character, dark on light whatever the terminal's own colours are. Pure. */
/** As the standard has it. */
const QUIET = 4
const DARK_ON_LIGHT = '\u001b[30;107m'
const RESET = '\u001b[0m'

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
