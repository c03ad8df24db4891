/** The table that people read. */
import type { Machine } from './machine.js'
import { type Row, summaryOf } from './row.js'

const WIDTHS = [9, 66, 9, 9, 9, 4, 6] as const
/** What stands in place of the numbers, where there are none. */
const WORDS_WIDTH = 41

export function printHead({ processors, kernel, node, load }: Machine): void {
  console.log(
    `${processors} processors, Linux ${kernel}, Node ${node}, load average before the run ${load.toFixed(1)}\n`,
  )
  console.log(line(['figure', 'what', 'median', 'least', 'most', 'n', 'ratio'], 'goal'))
}

export function printRow(figure: string, row: Row): void {
  const summary = summaryOf(row.samples)
  if (summary === undefined) {
    console.log(
      `${figure.padEnd(WIDTHS[0])} ${row.what.padEnd(WIDTHS[1])} ${(row.found ?? '').padEnd(WORDS_WIDTH)} ${row.goal}`,
    )
    return
  }
  const { median, min, max, n } = summary
  const ratio = row.against === undefined ? '' : (median / row.against.median).toFixed(2)
  const what = row.unit === undefined ? row.what : `${row.what}, ${row.unit}`
  const cells = [figure, what, number(median), number(min), number(max), String(n), ratio]
  const words = [row.goal, row.against && `ratio to ${row.against.what}`, row.found]
  console.log(line(cells, words.filter(Boolean).join('; ')))
}

function line(cells: readonly string[], goal: string): string {
  const padded = cells.map((cell, i) => (i < 2 ? cell.padEnd(WIDTHS[i]!) : cell.padStart(WIDTHS[i]!)))
  return `${padded.join(' ')}  ${goal}`
}

/** Three digits are as many as a figure of such a run has. */
function number(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en')
  return value.toPrecision(3)
}
