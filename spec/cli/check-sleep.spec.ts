import { expect } from 'chai'
import { warningsForSleep } from '../../lib/cli/daemon/check-sleep.js'
import { KEYS, read } from '../config/problems.js'

const DAEMON = '/etc/systemd/system/multi-user.target.wants/postern.service'
const SLEEP = '/etc/systemd/system/sleep.target.wants/postern-sleep.service'

describe('posternd check, of instant resources on a machine that sleeps', () => {
  const instant = read(`${KEYS}[RESOURCES]\n1 = port: 22 / instant: yes`)
  const other = read(`${KEYS}[RESOURCES]\n1 = port: 22`)
  for (const [what, config, files, said] of [
    ['warns where the daemon is enabled and what belongs to it is not', instant, [DAEMON], 1],
    ['says nothing where it is', instant, [DAEMON, SLEEP], 0],
    ['says nothing where systemd does not start the daemon', instant, [], 0],
    ['says nothing where nothing is instant', other, [DAEMON], 0],
  ] as const)
    it(what, () => {
      const warnings = warningsForSleep(config, (path) => (files as readonly unknown[]).includes(path))
      expect(warnings).to.have.length(said)
      if (said > 0)
        expect(warnings[0]).to.match(/recorded meanwhile may open a port .*: systemctl enable postern-sleep$/)
    })
})
