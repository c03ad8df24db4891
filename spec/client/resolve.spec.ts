import { expect } from 'chai'
import { KnockError } from '../../lib/client/error.js'
import { type Lookup, literalOf, resolve, unresolved } from '../../lib/client/resolve.js'

const never: Lookup = () => {
  throw new Error('looked up')
}

describe('a host', () => {
  for (const [text, address, family] of [
    ['192.0.2.7', '192.0.2.7', 4],
    ['2001:DB8:0::7', '2001:db8::7', 6],
    ['[2001:db8::7]', '2001:db8::7', 6],
    ['::ffff:192.0.2.7', '192.0.2.7', 4],
    ['fe80::1%eth0', 'fe80::1%eth0', 6],
    ['fe80::1%2', 'fe80::1%2', 6],
  ] as const) {
    it(`${text} is a literal and is not looked up`, async () => {
      expect(await Promise.all(resolve(text, [4, 6], never))).to.deep.equal([[{ address, family }]])
    })
  }

  for (const text of ['gate.example.org', 'localhost', '192.0.2', '192.0.2.7%eth0', 'fe80::1%', '1.2.3.4.5', '']) {
    it(`${JSON.stringify(text)} is a name`, () => {
      expect(literalOf(text)).to.equal(undefined)
    })
  }

  it('is looked up once for each family, and one that fails leaves the other alone', async () => {
    const lookup: Lookup = async (_, family) => {
      if (family === 6) throw new Error('SERVFAIL')
      return ['192.0.2.1', '192.0.2.2']
    }
    const [four, six] = await Promise.allSettled(resolve('gate.example.org', [4, 6], lookup))
    expect(four).to.deep.include({
      value: [
        { address: '192.0.2.1', family: 4 },
        { address: '192.0.2.2', family: 4 },
      ],
    })
    expect(six!.status).to.equal('rejected')
  })

  it('is looked up only for the families asked for', async () => {
    const asked: number[] = []
    const lookup: Lookup = async (_, family) => {
      asked.push(family)
      return ['2001:db8::1']
    }
    await Promise.all(resolve('gate.example.org', [6], lookup))
    expect(asked).to.deep.equal([6])
  })

  it('that is a literal of the other family is refused', () => {
    expect(() => resolve('192.0.2.7', [6], never)).to.throw(KnockError, '192.0.2.7 is an IPv4 address: leave -6 out')
  })

  it('localhost is known to the system', async () => {
    const [four] = await Promise.allSettled(resolve('localhost', [4]))
    expect(four).to.deep.include({ value: [{ address: '127.0.0.1', family: 4 }] })
  })

  it('without any address is named, with the reasons', () => {
    const reasons = [
      Object.assign(new Error(), { code: 'ENOTFOUND' }),
      Object.assign(new Error(), { code: 'EAI_AGAIN' }),
    ]
    expect(unresolved('gate', [4, 6], reasons).message).to.match(/^gate: no address found \(ENOTFOUND, EAI_AGAIN\)/)
    expect(unresolved('gate', [6], []).message).to.match(/^gate: no IPv6 address found:/)
  })
})
