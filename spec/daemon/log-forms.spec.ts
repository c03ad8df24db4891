import { expect } from 'chai'
import { createLog } from '../../lib/daemon/log.js'
import { formOf, journalEntry, journalForm, jsonForm } from '../../lib/daemon/log-forms.js'

const FIELDS = { event: 'refused', user: '0000000A', reason: 'replayed' }

describe('the forms of the log', () => {
  it('are one JSON object a line, whose values begin no second one', () => {
    const lines: string[] = []
    const log = createLog(
      () => jsonForm((line) => lines.push(line)),
      () => 0,
    )
    log.warn('no "good"\nnews', { ...FIELDS, detail: 'two\nlines' })
    expect(lines).to.have.length(1)
    expect(lines[0]!.endsWith('}\n')).to.equal(true)
    const { time, ...rest } = JSON.parse(lines[0]!)
    expect(new Date(time).getTime()).to.be.greaterThan(0)
    expect(rest).to.deep.equal({ level: 'warning', message: 'no "good" news', ...FIELDS, detail: 'two lines' })
  })

  it('are a datagram of fields for the journal, with a message id for what happens to knocks', () => {
    const entry = journalEntry({ priority: 4, text: 'refused a knock', fields: FIELDS })
    expect(entry.split('\n')).to.deep.equal([
      'MESSAGE=refused a knock',
      'PRIORITY=4',
      'SYSLOG_IDENTIFIER=posternd',
      'MESSAGE_ID=e4c2f8190b7d4a6e95f13da8c07b62d9',
      'POSTERN_EVENT=refused',
      'POSTERN_USER=0000000A',
      'POSTERN_REASON=replayed',
      '',
    ])
    expect(journalEntry({ priority: 6, text: 'ready', fields: {} })).not.to.contain('MESSAGE_ID')
  })

  it('fall back to a line where the journal is away', () => {
    const lines: string[] = []
    const away = () => {
      throw new Error('ECONNREFUSED')
    }
    journalForm(away, ({ text }) => void lines.push(text))({ priority: 6, text: 'ready', fields: {} })
    expect(lines).to.deep.equal(['ready'])
  })

  it('are as the configuration says: JSON where it says so, also beside a journal', () => {
    const lines: string[] = []
    const sent: [number, string][] = []
    const make = (format: 'text' | 'json', journal: number | undefined) =>
      formOf(
        format,
        (line) => void lines.push(line),
        journal,
        (fd, text) => void sent.push([fd, text]),
      )
    const entry = { priority: 6 as const, text: 'ready', fields: {} }
    make('json', 7)(entry)
    expect(lines[0]).to.match(/^\{/)
    make('text', 7)(entry)
    expect(sent[0]![0]).to.equal(7)
    make('text', undefined)(entry)
    expect(lines[1]).to.match(/ready\n$/)
  })
})
