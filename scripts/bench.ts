/** The figures that were asked for, or all, one after the other: a machine of two processors measures one thing at a time. */
import { parseArgs } from 'node:util'
import { FIGURES } from './figures/figures.js'
import { machine } from './figures/machine.js'
import { type Row, summaryOf } from './figures/row.js'
import { printHead, printRow } from './figures/table.js'

const { values, positionals } = words()
const unknown = positionals.filter((name) => !Object.hasOwn(FIGURES, name))
if (unknown.length > 0) refuse(`${unknown.join(', ')}: expected ${Object.keys(FIGURES).join(', ')}`)

const found: { figure: string; rows: readonly Row[] }[] = []
if (!values.json) printHead(machine())
for (const [figure, measure] of Object.entries(FIGURES)) {
  if (positionals.length > 0 && !positionals.includes(figure)) continue
  const rows = await measure({ floodSeconds: values.long ? 600 : 60 })
  found.push({ figure, rows })
  if (!values.json) for (const row of rows) printRow(figure, row)
}
if (values.json) {
  const figures = found.flatMap(({ figure, rows }) =>
    rows.map((row) => ({ figure, ...row, ...summaryOf(row.samples) })),
  )
  console.log(JSON.stringify({ machine: machine(), figures }))
}

function words() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, long: { type: 'boolean', default: false } },
    })
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

function refuse(why: string): never {
  console.error(`scripts/bench: ${why}`)
  process.exit(2)
}
