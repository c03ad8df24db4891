/** What a terminal would show of some lines, as a picture: characters of half blocks and the colours of SGR sequences. */

/** A colour as grey, 0 black to 255 white. */
type Grey = number

/** How a terminal draws. */
export interface Theme {
  /** Its own ink and paper. */
  readonly foreground: Grey
  readonly background: Grey
  /** What it makes of SGR 30 and 47; of 107 unless it is too old for it. */
  readonly black: Grey
  readonly white: Grey
  readonly brightWhite?: Grey
  /** Pixels of one character. */
  readonly cell: { readonly width: number; readonly height: number }
}

const BLOCKS: Readonly<Record<string, readonly [top: boolean, bottom: boolean]>> = {
  ' ': [false, false],
  '▀': [true, false],
  '▄': [false, true],
  '█': [true, true],
}
/** Of the terminal, around what is shown. */
const MARGIN_CELLS = 2

/** A binary PGM (Netpbm). Throws at a character or a sequence that no code is drawn with. */
export function pictureOf(lines: readonly string[], theme: Theme): Buffer {
  const rows = lines.map((line) => cellsOf(line, theme))
  const columns = Math.max(...rows.map((row) => row.length)) + 2 * MARGIN_CELLS
  const { width, height } = theme.cell
  const size = { width: columns * width, height: (rows.length + 2 * MARGIN_CELLS) * height }
  const pixels = Buffer.alloc(size.width * size.height, theme.background)
  rows.forEach((row, y) => {
    row.forEach(([top, bottom], x) => {
      for (let dy = 0; dy < height; dy++) {
        const at = ((y + MARGIN_CELLS) * height + dy) * size.width + (x + MARGIN_CELLS) * width
        pixels.fill(dy < height / 2 ? top : bottom, at, at + width)
      }
    })
  })
  return Buffer.concat([Buffer.from(`P5\n${size.width} ${size.height}\n255\n`), pixels])
}

/** Each character as the greys of its upper and its lower half. */
function cellsOf(line: string, theme: Theme): [Grey, Grey][] {
  let [ink, paper] = [theme.foreground, theme.background]
  const cells: [Grey, Grey][] = []
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with one
  for (const [, sequence, character = ''] of line.matchAll(/\x1b\[([0-9;]*)m|(.)/gsu)) {
    if (sequence !== undefined) {
      for (const number of sequence.split(';')) {
        if (number === '0') [ink, paper] = [theme.foreground, theme.background]
        else if (number === '30') ink = theme.black
        else if (number === '47') paper = theme.white
        else if (number === '107') paper = theme.brightWhite ?? paper
        else throw new Error(`SGR ${number}: expected 0, 30, 47, 107`)
      }
      continue
    }
    const halves = BLOCKS[character]
    if (halves === undefined) throw new Error(`${JSON.stringify(character)}: expected a block`)
    cells.push([halves[0] ? ink : paper, halves[1] ? ink : paper])
  }
  return cells
}
