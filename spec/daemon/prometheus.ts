/** A strict reader of Prometheus' text format: what it does not know is an error. */

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)$/
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/

/** Values by name and unescaped labels, `name{label="value"}`. Throws at whatever a collector would not take. */
export function parseMetrics(text: string): Map<string, number> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const values = new Map<string, number>()
  const helped = new Set<string>()
  const typed = new Map<string, string>()
  let current = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const [, word, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? []
    if (word !== undefined) {
      if (!NAME.test(name)) throw new Error(`${line}: no name`)
      if (word === 'HELP' && (helped.has(name) || helped.size !== typed.size)) throw new Error(`${line}: out of order`)
      if (word === 'HELP') helped.add(name)
      else if (!helped.has(name) || typed.has(name) || !/^(gauge|counter)$/.test(rest))
        throw new Error(`${line}: wrong`)
      else typed.set(name, rest)
      current = name
      continue
    }
    const [, sample = '', labels, value = ''] = SAMPLE.exec(line) ?? []
    if (sample === '' || sample !== current || !typed.has(sample)) throw new Error(`${line}: no sample of ${current}`)
    if ((typed.get(sample) === 'counter') !== sample.endsWith('_total'))
      throw new Error(`${line}: counters end in _total`)
    const key = labels === undefined ? sample : `${sample}{${labelsOf(labels)}}`
    if (values.has(key)) throw new Error(`${line}: twice`)
    values.set(key, Number(value))
  }
  return values
}

function labelsOf(text: string): string {
  const labels: string[] = []
  for (let rest = text; rest !== ''; ) {
    const [whole, name, value] = LABEL.exec(rest) ?? []
    if (whole === undefined) throw new Error(`{${text}}: no labels`)
    labels.push(`${name}="${value!.replace(/\\(["\\n])/g, (_, one) => (one === 'n' ? '\n' : one))}"`)
    rest = rest.slice(whole.length)
  }
  return labels.join(',')
}
