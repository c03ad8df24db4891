import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import { ALONE } from '../support/client.js'
import { bundle, CONFIG, Home, ROOT } from './program.js'

/** Prints what Node has loaded of its own modules by the end of the program, behind all that the program prints. */
const LOADED = `process.on('exit', () => require('node:fs').writeSync(1, '\\n' + JSON.stringify(process.moduleLoadList)))\n`

// The client without Node has neither these modules nor this start.
const describeNode = ALONE === undefined ? describe : () => {}

describeNode('what a knock has Node load', () => {
  let home: Home

  before(() => {
    bundle()
    home = new Home(CONFIG)
  })
  after(() => home.remove())

  const loaded = (...words: readonly string[]): readonly string[] => {
    const argv = ['-r', home.write('loaded.cjs', LOADED), ...words]
    const said = execFileSync(process.execPath, argv, { env: { HOME: home.folder }, encoding: 'utf8' })
    return JSON.parse(said.split('\n').at(-1)!)
  }

  it('is nothing of what only a server, another program or a name needs', () => {
    const bare = loaded(home.write('empty.cjs', ''))
    const all = loaded(join(ROOT, 'bin/postern'), 'knock', '-P', '9', '127.0.0.1', '22')
    const more = all.filter((name) => !bare.includes(name))
    expect(more).to.include('NativeModule dgram')
    for (const name of ['child_process', 'internal/cluster/primary', 'net', 'dns', 'readline', 'internal/fs/promises'])
      expect(more, name).to.not.include(`NativeModule ${name}`)
  })
})
