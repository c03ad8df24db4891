import { expect } from 'chai'
import fc from 'fast-check'
import { readClientConfig } from '../../lib/config/client.js'
import { ConfigError } from '../../lib/config/error.js'

const KEY = '9F3C51D2A7B84E06F1C29D7B3A58E4601C7FD2B9856E43A0D1F7285B9CE63A40'
const read = (text?: string) => readClientConfig(text, 'postern.conf')

describe("the client's configuration", () => {
  it('is an empty one where there is no file, and says nothing of it', () => {
    expect(read()).to.deep.equal({
      port: { udp: 5800, protocols: ['tcp'] },
      protocol: 'spa',
      controlTimeoutMs: 5000,
      errorPolicy: 'basic-auth',
      defaultUser: 0,
      fwknop: {},
      realm: '',
      users: new Map(),
      resources: new Map(),
      hosts: new Map(),
      warnings: [],
    })
    expect(read('').file).to.equal('postern.conf')
  })

  it('reads who, where and what', () => {
    const config = read(
      `[GENERAL]\nport = 62201 / udp\ncontrol-timeout = 0.5\n[SPA]\nrealm = home\n[CLIENT]\ndefault-user = beef\n[KEYS]\nBEEF = ${KEY}\n[RESOURCES]\n1 = port: 22 / instant: yes / name: ssh`,
    )
    expect(config).to.deep.include({ port: { udp: 62201, protocols: ['udp'] }, controlTimeoutMs: 500, realm: 'home' })
    expect(config.defaultUser).to.equal(0xbeef)
    expect([...config.users.keys()]).to.deep.equal([0xbeef])
    expect(config.resources.get(1)).to.include({ instant: true, name: 'ssh', line: 11 })
    expect(config.warnings).to.deep.equal([])
  })

  it('knocks at another port for SPA where [SPA] names one', () => {
    expect(read('[GENERAL]\nport = 5 / tcp\n[SPA]\nport = 7').spaPort).to.equal(7)
    expect(read('[SPA]\nport = any').spaPort).to.equal('any')
    expect(read('[GENERAL]\nport = any / udp').port.udp).to.equal('any')
    expect(read('[SPA]\nrealm = x')).to.not.have.property('spaPort')
  })

  it("reads a server's file with what only servers mean in it", () => {
    const text =
      '[SPA]\nrealm = x\nwindow = 5\nrequire-address = perhaps\n[LETMEIN]\nrate = x\n[FIREWALL]\nmode = nonsense\n[NFTABLES]\nfamily = x\n[LIMITS]\nx = 1'
    expect(read(text).warnings).to.deep.equal([])
  })

  it('warns that a key without a realm opens at every server that has it', () => {
    expect(read(`[SPA]\n[KEYS]\n1 = ${KEY}`).warnings).to.have.length(1)
    expect(read(`[KEYS]\n1 = ${KEY}`).warnings, "letmein's file, which has none").to.deep.equal([])
  })

  for (const [text, protocol] of [
    [undefined, 'spa'],
    ['', 'letmein'],
    ['[CLIENT]\ndefault-user = 1', 'letmein'],
    ['[SPA]\nrealm = x', 'spa'],
    ['[LETMEIN]\nenabled = yes', 'letmein'],
    ['[SPA]\nrealm = x\n[LETMEIN]', 'auto'],
    ['[SPA]\nrealm = x\n[LETMEIN]\nenabled = yes', 'auto'],
    ['[SPA]\nrealm = x\n[LETMEIN]\nenabled = no', 'spa'],
    ['[SPA]\nenabled = no', 'letmein'],
    ['[SPA]\nenabled = no\n[LETMEIN]', 'letmein'],
    ['[CLIENT]\nprotocol = spa', 'spa'],
    ['[SPA]\nrealm = x\n[CLIENT]\nprotocol = AUTO', 'auto'],
    ['[SPA]\nrealm = x\n[LETMEIN]\n[CLIENT]\nprotocol = letmein', 'letmein'],
  ] as const) {
    it(`means ${protocol} where ${text === undefined ? 'there is no file' : JSON.stringify(text)}`, () => {
      expect(read(text).protocol).to.equal(protocol)
    })
  }

  it('names line and expected form', () => {
    const text = '[CLIENT]\ndefault-user = alice\nprotocol = both\n[SPA]\nrelm = x\nport = 0'
    expect(() => read(text)).to.throw(
      ConfigError,
      [
        'postern.conf:2: [CLIENT] default-user "alice": expected 1–8 hex digits',
        'postern.conf:3: [CLIENT] protocol "both": expected auto, spa, letmein, fwknop',
        'postern.conf:5: [SPA] "relm": no such option: expected one of realm, port, enabled, window, require-address, host; did you mean "realm"?',
        'postern.conf:6: [SPA] port "0": expected 1–65535',
      ].join('\n'),
    )
  })

  it('throws nothing but ConfigError', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.constantFrom('', '[CLIENT]\n', '[SPA]\n', '[RESOURCES]\n'),
        (text, head) => {
          try {
            read(head + text)
          } catch (error) {
            if (!(error instanceof ConfigError)) throw error
          }
        },
      ),
    )
  })

  it('says where fwknop’s own settings are, and lets be what only its server reads', () => {
    const text = '[FWKNOP]\nrc-file = ~/.fwknoprc\nstanza = gate\naccess-file = /etc/fwknop/access.conf\nmax-age = 60\n'
    expect(read(text).fwknop).to.deep.equal({ rcFile: '~/.fwknoprc', stanza: 'gate' })
    expect(() => read('[FWKNOP]\nrc-file = rc\n')).to.throw('"rc": expected a path that begins with / or ~/')
    expect(() => read('[FWKNOP]\nrc-fil = /rc\n')).to.throw('did you mean "rc-file"?')
  })
})
