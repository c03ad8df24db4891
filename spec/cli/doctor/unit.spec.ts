import { expect } from 'chai'
import { forbidsAnswers } from '../../../lib/cli/daemon/doctor/unit.js'

/** As `systemctl show` of systemd 252 and 257 prints them. */
const OURS = `LoadState=loaded
MainPID=113
IPAddressDeny=0.0.0.0/0 ::/0
IPAddressAllow=
RestrictAddressFamilies=AF_NETLINK AF_UNIX
`
const DROPPED_IN = OURS.replace('Allow=', 'Allow=0.0.0.0/0 ::/0').replace('AF_NETLINK', 'AF_INET AF_INET6 AF_NETLINK')

describe('the doctor, of a unit that keeps letmein’s clients from being answered', () => {
  const cases: [string, string, boolean, boolean][] = [
    ['the unit as it is', OURS, true, true],
    ['with its drop-in', DROPPED_IN, true, false],
    ['sockets, and no packet', DROPPED_IN.replace(/Allow=.*/, 'Allow='), true, true],
    ['packets of one network', DROPPED_IN.replace(/Allow=.*/, 'Allow=192.0.2.0/24'), true, false],
    ['one family', DROPPED_IN.replace('AF_INET6 ', ''), true, true],
    ['all families', DROPPED_IN.replace(/Families=.*/, 'Families='), true, false],
    ['all but two', DROPPED_IN.replace(/Families=.*/, 'Families=~AF_INET AF_INET6'), true, true],
    ['all but another', DROPPED_IN.replace(/Families=.*/, 'Families=~AF_BLUETOOTH'), true, false],
    ['started by hand', OURS.replace('=113', '=0'), true, false],
    ['not started yet', OURS.replace('=113', '=0'), false, true],
    ['no such unit', OURS.replace('=loaded', '=not-found'), false, false],
    ['nothing', '', false, false],
  ]
  for (const [what, shown, isRunning, expected] of cases)
    it(`${what}: ${expected}`, () => expect(forbidsAnswers(shown, isRunning)).to.equal(expected))
})
