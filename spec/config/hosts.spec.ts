import { expect } from 'chai'
import { readClientConfig } from '../../lib/config/client.js'
import { configFor } from '../../lib/config/hosts.js'
import { KEY, OTHER } from './problems.js'

const TWO = `[GENERAL]
port = 5800 / udp
[SPA]
realm = home
[KEYS]
00000001 = ${OTHER}
[RESOURCES]
00000080 = port: 80 / name: web
[HOST Work]
address = gate.example.org
port = 62201
realm = work
user = 2
key = ${KEY}
resource 00000022 = port: 22 / name: ssh / instant: yes
[HOST lab.example]
realm = lab
`
const read = (text: string) => readClientConfig(text, 'postern.conf')

describe('[HOST NAME] of the client’s file', () => {
  it('is a server of its own: realm, user, key, port and resources', () => {
    const { config, address } = configFor(read(TWO), 'work')
    expect(address).to.equal('gate.example.org')
    expect(config).to.deep.include({ realm: 'work', defaultUser: 2, spaPort: 62201, protocol: 'spa' })
    expect([...config.users.keys()]).to.deep.equal([2])
    expect([...config.resources.values()].map(({ id, name, instant }) => ({ id, name, instant }))).to.deep.equal([
      { id: 0x22, name: 'ssh', instant: true },
    ])
  })

  it('is found by its address too, in any case of letters', () => {
    expect(configFor(read(TWO), 'GATE.example.org').config.realm).to.equal('work')
  })

  it('leaves to the rest of the file what it does not say', () => {
    const { config, address } = configFor(read(TWO), 'lab.example')
    expect(address).to.equal('lab.example')
    expect(config.realm).to.equal('lab')
    expect([...config.users.keys()]).to.deep.equal([1])
    expect([...config.resources.keys()]).to.deep.equal([0x80])
  })

  it('changes nothing for hosts that it does not name', () => {
    const all = read(TWO)
    expect(configFor(all, 'elsewhere').config).to.equal(all)
  })

  it('says nothing of a realm that is not set, where each host has its own', () => {
    expect(read(`[HOST gate]\nrealm = gate\nuser = 1\nkey = ${KEY}`).warnings).to.deep.equal([])
  })

  for (const [what, text, wrong] of [
    ['a key without a user', `[HOST gate]\nkey = ${KEY}`, 'has a key and no user: expected user = ID'],
    ['an option that is none', '[HOST gate]\nrelm = x', '"relm": no such option'],
    ['a bad key', '[HOST gate]\nuser = 1\nkey = 1234', 'key 4 characters: expected 64 hex digits'],
    ['a name twice', '[HOST gate]\n[HOST Gate]', 'is here twice: the first is in line 1'],
    ['no name', '[HOST ]', 'expected a host'],
    ['a bad resource', '[HOST gate]\nresource x = port: 22', '[HOST gate] "x": expected 1–8 hex digits'],
  ] as const)
    it(`refuses ${what}`, () => {
      expect(() => read(text)).to.throw(wrong)
    })

  it('shows nothing of a key that lacks its "="', () => {
    expect(() => read(`[HOST gate]\nkey ${KEY}`)).to.throw('postern.conf:2: line: expected NAME = VALUE')
  })
})
