import { expect } from 'chai'
import { KNOCK_OPTIONS } from '../../lib/cli/knock-options.js'
import { parsePlain, spreadLetters } from '../../lib/cli/plain.js'

const parse = (line: string) => parsePlain(line.split(' '), KNOCK_OPTIONS)

describe('a plain command line', () => {
  for (const [line, positionals, values] of [
    ['gate 22', ['gate', '22'], {}],
    ['-u 1 gate 22 --quiet', ['gate', '22'], { user: '1', quiet: true }],
    ['gate --user=1 22', ['gate', '22'], { user: '1' }],
    ['gate --realm= 22', ['gate', '22'], { realm: '' }],
    ['--realm=a=b gate 22', ['gate', '22'], { realm: 'a=b' }],
    ['-qw gate 22', ['gate', '22'], { quiet: true, wait: true }],
    ['-Pany -46 gate 22', ['gate', '22'], { port: 'any', ipv4: true, ipv6: true }],
    ['-qu2 gate 22', ['gate', '22'], { quiet: true, user: '2' }],
    ['--quiet -- gate 22', ['gate', '22'], { quiet: true }],
    ['gate -- -q', ['gate', '-q'], {}],
    ['gate -', ['gate', '-'], {}],
  ] as const) {
    it(`${line}`, () => expect(parse(line)).to.deep.equal({ positionals, values }))
  }

  for (const line of [
    '--help',
    '-h',
    'gate 22 --colour',
    'gate 22 -x',
    'gate 22 -qx',
    'gate 22 --user',
    'gate 22 -u',
    'gate --user --quiet 22',
    '--quiet=yes gate 22',
    '-u 1 -u 2 gate 22',
    '--no-quiet gate 22',
    '--tries -1 gate 22',
  ]) {
    it(`is not: ${line}`, () => expect(parse(line)).to.equal(undefined))
  }

  it('spreads letters only where all of them are known, and nothing behind --', () => {
    expect(spreadLetters(['-qw', '-qx', '-', '--', '-qw'], KNOCK_OPTIONS)).to.deep.equal([
      '-q',
      '-w',
      '-qx',
      '-',
      '--',
      '-qw',
    ])
  })
})

describe('the options of knock', () => {
  it('have names and letters of their own', () => {
    const names = KNOCK_OPTIONS.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias]))
    expect(new Set(names).size).to.equal(names.length)
  })
})
