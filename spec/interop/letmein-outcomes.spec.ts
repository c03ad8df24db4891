/**
 * letmeind is stopped, posternd is started with the same file, and no client is changed: each says the same and ends the same.
 *
 *     client: letmein ── server: letmeind and letmeinfwd, then posternd
 */
import { expect } from 'chai'
import { Installation, KEY, USER } from '../support/installation.js'
import { type Lab, openLab } from '../support/lab.js'
import { LetmeinClient, LetmeinServer, letmeindFile, letmeinFile, RULESET } from '../support/letmein-peer.js'
import { hearsTcp } from '../support/letmein-story.js'

const RESOURCES = [
  '00000001 = port: 22 / timeout: 30',
  '00000002 = port: 53 / tcp,udp / users: 0000000B',
  '00000003 = port: 5800 / tcp,udp',
  '00000004 = jump / input: NO-SUCH-CHAIN',
  '00000005 = jump / forward: NO-CHAIN-FORWARD',
]
const PORT = '5800 / tcp,udp'
const STRANGERS_KEY = '5A'.repeat(32)
/** Where nothing is, TCP is refused; UDP is dropped. */
const NOTHING_THERE = RULESET.replace('jump', 'tcp dport 5999 reject with tcp reset\n    jump')

/** What is asked of the server, and with which key where it is not the right one. */
const CASES: readonly { readonly name: string; readonly argv: readonly string[]; readonly key?: string }[] = [
  { name: 'a knock', argv: ['knock', '22'] },
  { name: 'a knock with a living lease', argv: ['knock', '22'] },
  { name: 'a revoke', argv: ['revoke', '22'] },
  { name: 'a revoke without a lease', argv: ['revoke', '22'] },
  { name: 'a resource that the server does not know', argv: ['knock', '-r', '99'] },
  { name: 'a resource of another user', argv: ['knock', '-r', '2'] },
  { name: 'the control port', argv: ['knock', '-r', '3'] },
  { name: 'a jump to a chain that is not there', argv: ['knock', '-r', '4'] },
  { name: 'a jump from a chain that is not named', argv: ['knock', '-r', '5'] },
  { name: 'a wrong key', argv: ['knock', '22'], key: STRANGERS_KEY },
  { name: 'an unknown user', argv: ['knock', '-u', 'C', '22'] },
  { name: 'a port that the client’s file does not know', argv: ['knock', '23'] },
  { name: 'a user without a key in the client’s file', argv: ['knock', '-u', 'D', '22'] },
  { name: 'a control port where nothing is', argv: ['knock', '-P', '5999', '22'] },
]

/** Exit status and all that was said, for each case. */
async function outcomes(lab: Lab, policy: Policy, flag: string): Promise<Record<string, string>> {
  const choices = { policy, port: PORT, general: ['control-timeout = 0.4'], keys: [`0000000C = ${STRANGERS_KEY}`] }
  const file = letmeinFile(RESOURCES, choices)
  const told: Record<string, string> = {}
  for (const { name, argv, key = KEY } of CASES) {
    const letmein = new LetmeinClient(lab, file.replace(`${USER} = ${KEY}`, `${USER} = ${key}`))
    const [verb, ...rest] = argv
    const where = rest.includes('-r') ? [...rest, lab.server.v4] : [...rest.slice(0, -1), lab.server.v4, rest.at(-1)!]
    const { status, stdout, stderr } = await letmein.run(lab.client, verb!, flag, ...where)
    // The folder of the client's file has a name of its own each time.
    told[name] = `${status} ${stdout}${stderr}`.replaceAll(letmein.configFile, 'letmein.conf')
  }
  return told
}

type Policy = 'always' | 'basic-auth' | 'full-auth'
const GIVEN_UP = /RX communication with peer timed out/

for (const policy of ['always', 'basic-auth', 'full-auth'] as const) {
  describe(`with control-error-policy = ${policy} the letmein client`, () => {
    const [byLetmeind, byPosternd]: Record<string, Record<string, string>>[] = [{}, {}]
    let lab: Lab
    before(async function () {
      this.timeout(60_000)
      lab = await openLab()
      const config = letmeindFile(RESOURCES, { policy, port: PORT })
      const letmeind = await LetmeinServer.start(lab, { config, ruleset: NOTHING_THERE })
      for (const flag of ['-U', '-T']) byLetmeind![flag] = await outcomes(lab, policy, flag)
      await letmeind.stop()
      const postern = new Installation(lab)
      postern.configure(config)
      await postern.trustClock()
      await postern.start()
      await hearsTcp(lab, { port: PORT })
      for (const flag of ['-U', '-T']) byPosternd![flag] = await outcomes(lab, policy, flag)
    })
    after(() => lab.close())

    it('ends and says over TCP what it does with letmeind', () => {
      expect(byPosternd!['-T']).to.deep.equal(byLetmeind!['-T'])
      expect(byLetmeind!['-T']!['a knock']).to.match(/^0 /)
      expect(byLetmeind!['-T']!['a wrong key']).to.match(/^1 /)
    })

    it('ends and says over UDP what it does with letmeind', () => {
      const [letmeind, posternd] = [{ ...byLetmeind!['-U'] }, { ...byPosternd!['-U'] }]
      // The one difference: the kernel itself drops what is of no user of ours, under every policy.
      if (policy === 'always') {
        expect(letmeind['an unknown user']).to.match(/The server rejected the request/)
        expect(posternd['an unknown user']).to.match(GIVEN_UP)
        delete letmeind['an unknown user']
        delete posternd['an unknown user']
      }
      expect(posternd).to.deep.equal(letmeind)
      expect(posternd['a wrong key']).to.match(policy === 'always' ? /The server rejected the request/ : GIVEN_UP)
    })
  })
}
