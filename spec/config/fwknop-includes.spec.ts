import { expect } from 'chai'
import { ACCESS, readWith, refusals } from './fwknop-files.js'

const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('utf8')

describe('what access.conf includes', () => {
  const stanza = (title: string) => `SOURCE ANY\nKEY ${title}\nHMAC_KEY h${title}\nOPEN_PORTS tcp/22\n`
  const keysOf = (access: string, files: Record<string, string>) =>
    readWith(access, { files }).fwknop!.settings.stanzas.map(({ keys, title }) => `${hex(keys.key)} ${title}`)

  it('has its stanzas where it is included', () => {
    const files = { '/a/b.conf': `${stanza('b')}%include /a/c.conf\n`, '/a/c.conf': stanza('c') }
    expect(keysOf(`%include /a/b.conf\n${stanza('a')}`, files)).to.deep.equal([
      'b b.conf:1',
      'c c.conf:1',
      'a access.conf:2',
    ])
  })

  it('leaves the lines behind it to the stanza above it', () => {
    const files = { '/a/b.conf': stanza('b') }
    const { fwknop } = readWith(`${stanza('a')}%include /a/b.conf\nFW_ACCESS_TIMEOUT 99\n`, { files })
    expect(fwknop!.settings.stanzas.map(({ leaseSeconds }) => leaseSeconds)).to.deep.equal([99, 30])
  })

  it('is every .conf of a folder, in the order of their names', () => {
    const files = { '/a/2.conf': stanza('two'), '/a/1.conf': stanza('one'), '/a/3.txt': 'nonsense' }
    expect(keysOf('%include_folder /a\n', files)).to.deep.equal(['one 1.conf:1', 'two 2.conf:1'])
    const { fwknop } = readWith('%include_folder /a\n', { files })
    expect([fwknop!.files, fwknop!.folders]).to.deep.equal([[ACCESS, '/a/1.conf', '/a/2.conf'], ['/a']])
  })

  it('goes three files deep, as in fwknopd', () => {
    const files = { '/b': `%include /c\n${stanza('b')}`, '/c': `${stanza('c')}%include /d\n`, '/d': stanza('d') }
    expect(refusals('%include /b\n', { files })).to.deep.equal([
      '/c:5: %include /d: expected at most 3 files deep, as fwknopd does',
    ])
  })

  it('may be the keys of a stanza', () => {
    const files = { '/keys': 'KEY secret\nHMAC_KEY other\n' }
    const { fwknop } = readWith('SOURCE ANY\n%include_keys /keys\nOPEN_PORTS tcp/22\n', { files })
    expect(hex(fwknop!.settings.stanzas[0]!.keys.key)).to.equal('secret')
    expect(fwknop!.files).to.deep.equal([ACCESS, '/keys'])
  })

  it('has nothing but keys where it is keys', () => {
    const files = { '/keys': 'KEY secret\nHMAC_KEY other\nOPEN_PORTS tcp/22\n' }
    expect(refusals('SOURCE ANY\n%include_keys /keys\nOPEN_PORTS tcp/22\n', { files })).to.deep.equal([
      '/keys:3: expected KEY, KEY_BASE64, HMAC_KEY or HMAC_KEY_BASE64: fwknopd passes over the rest',
    ])
  })

  it('is missed by its name, and by the line that names it', () => {
    for (const [what, missing] of [
      ['%include', 'file'],
      ['%include_folder', 'folder'],
      ['%include_keys', 'file'],
    ])
      expect(refusals(`${stanza('a')}${what} /nowhere\n`)).to.deep.equal([
        `${ACCESS}:5: ${what} /nowhere: no such ${missing}`,
      ])
  })

  it('ends where it includes itself', () => {
    expect(refusals(`${stanza('a')}%include ${ACCESS}\n`)).to.have.length(1)
  })
})
