import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { ConfigError } from '../../lib/config/error.js'
import { loadServerConfig } from '../../lib/config/files.js'
import { STANZA } from './fwknop-files.js'

describe('who may read and write fwknop’s files', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fwknop-permissions-'))
    mkdirSync(join(folder, 'more'), { mode: 0o755 })
    write('access.conf', `${STANZA}OPEN_PORTS tcp/22\n%include_folder ${join(folder, 'more')}\n`)
    write('more/one.conf', `${STANZA}OPEN_PORTS tcp/80\n`)
    write('fwknopd.conf', '# all defaults\n')
    const files = `access-file = ${join(folder, 'access.conf')}\nconfig-file = ${join(folder, 'fwknopd.conf')}\n`
    write('posternd.conf', `[SPA]\nrealm = x\n[FWKNOP]\n${files}`)
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600 })
  const mode = (name: string, bits: number) => chmodSync(join(folder, name), bits)
  const load = () => loadServerConfig(join(folder, 'posternd.conf'), undefined, {})

  /** The code and the lines of the error. */
  function refusal(): [string, string[]] {
    try {
      load()
    } catch (error) {
      expect(error).to.be.instanceOf(ConfigError)
      return [(error as ConfigError).code, (error as ConfigError).message.split('\n')]
    }
    throw new Error('accepted')
  }

  it('lets its owner alone write them, and read what has keys', () => {
    mode('fwknopd.conf', 0o644)
    const { fwknop, warnings } = load()
    expect(warnings).to.deep.equal([])
    expect(fwknop!.settings.stanzas.map(({ title }) => title)).to.deep.equal(['access.conf:1', 'one.conf:1'])
    expect(fwknop!.files).to.deep.equal(
      ['access.conf', 'more/one.conf', 'fwknopd.conf'].map((name) => join(folder, name)),
    )
  })

  for (const [name, bits, message] of [
    ['access.conf', 0o644, /access.conf: mode 0644, readable by everybody: expected .*: chmod 6[04]0 /],
    ['more/one.conf', 0o644, /one.conf: mode 0644, readable by everybody/],
    ['access.conf', 0o602, /access.conf: mode 0602, writable by everybody/],
    ['fwknopd.conf', 0o666, /fwknopd.conf: mode 0666, writable by everybody/],
    ['more', 0o777, /more: mode 0777, writable by everybody: expected only its owner to write it: chmod go-w /],
  ] as const)
    it(`refuses ${name} with mode ${bits.toString(8)}, and says what to do`, () => {
      mode(name, bits)
      const [code, [first, ...others]] = refusal() as [string, [string, ...string[]]]
      expect(first).to.match(message)
      expect([code, others]).to.deep.equal(['permission', []])
    })
})
