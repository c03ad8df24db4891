import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { shapes } from '../../lib/stealth/shapes.js'
import { decode } from '../../lib/wire/letmein.js'

describe('what a stranger sends', () => {
  const sent = new Map(shapes(0x1234, randomBytes).map(({ name, bytes }) => [name, bytes]))

  it('has letmein’s form, with the user’s number', () => {
    expect(decode(sent.get('letmein')!)).to.include({ operation: 'KNOCK', user: 0x1234 })
  })

  it('has fwknop’s form, as the kernel looks at it', () => {
    expect(Buffer.from(sent.get('fwknop')!).toString('latin1')).to.match(/^[+/89][A-Za-z0-9+/]{139,474}$/)
  })

  it('has the length of postern’s own', () => {
    expect(sent.get('postern')!.length).to.be.within(86, 256)
  })

  it('is empty, and of no protocol’s length', () => {
    expect(sent.get('empty')!.length).to.equal(0)
    expect(sent.get('random')!.length).not.to.be.oneOf([56, ...Array.from({ length: 400 }, (_, i) => 86 + i)])
  })
})
