/**
 * `posternd up`: the shut gate with no daemon (at boot, before the network). `posternd down`: everything of ours out of the
 * kernel, whether a daemon runs or not.
 */
import { join } from 'node:path'
import { ConfigError } from '../../config/error.js'
import { BOOT_MARK, hasBootMark, leaveBootMark } from '../../daemon/boot-mark.js'
import { readMonoMs } from '../../daemon/clock.js'
import { askControl, ControlError } from '../../daemon/control.js'
import { gateInstead, leavesNoGate, raiseLastGate, refuseEmptied } from '../../daemon/last-gate.js'
import { LEASES_MARK, outdatedBy } from '../../daemon/leases-mark.js'
import { StateError } from '../../daemon/monitor-file.js'
import type { DaemonStatus } from '../../daemon/status-answer.js'
import { forgetTrial, onTrial, trialInForce } from '../../daemon/trial.js'
import { nftProgram } from '../../firewall/nft.js'
import { readBootId } from '../../replay/boot-id.js'
import type { Command, World } from '../command.js'
import { EXIT } from '../exit.js'
import type { Finding } from '../finding.js'
import type { Arguments } from '../options.js'
import { notInForce } from './in-force.js'
import { configOf, kernelOf, managerFor, managerOf } from './kernel.js'
import {
  CONFIG_OPTION,
  controlPathOf,
  RUN_DIR_OPTION,
  refuseWords,
  runDirOf,
  STATE_DIR_OPTION,
  stateDirOf,
} from './options.js'
import { daemonStatus } from './status.js'

export const up: Command = {
  name: 'up',
  positionals: '',
  describe: 'put the shut gate up without a daemon; postern-gate.service does it at boot, before the network',
  options: [CONFIG_OPTION, RUN_DIR_OPTION, STATE_DIR_OPTION],
  examples: [['posternd up', 'protected ports are shut from here on; leases of an earlier boot are gone']],
  run: async (args, world) => {
    refuseWords(args)
    const daemon = await keeper(args)
    if (daemon !== undefined) {
      world.printer.line('up: posternd runs, and keeps the gate itself')
      warnOfOther(daemon, args, world)
      return EXIT.ok
    }
    const bootId = Buffer.from(readBootId()).toString('hex')
    const mark = join(runDirOf(args), BOOT_MARK)
    startOrLastGate(args, world, hasBootMark(mark, bootId))
    try {
      leaveBootMark(mark, bootId)
    } catch (error) {
      if (!(error instanceof StateError)) throw error
      // The gate is up, which is all that was asked; a unit that failed would not put it back behind the next flush.
      world.printer.error(
        `warning: ${error.message}: the gate is up, shut; until then each start takes all leases away`,
      )
    }
    return EXIT.ok
  },
}

/** A daemon that answers: it puts back what somebody flushes, and would take a second hand for somebody else's. */
async function keeper(args: Arguments): Promise<DaemonStatus | undefined> {
  try {
    return await daemonStatus(controlPathOf(args))
  } catch {
    return undefined
  }
}

/** An edit that waits for its reload shuts nothing yet. A firewall's restart calls this, too, so it is no time to reload. */
function warnOfOther(daemon: DaemonStatus, args: Arguments, world: World): void {
  const warn = ({ sentence, mend }: Omit<Finding, 'code'>) => world.printer.error(`warning: ${sentence}: ${mend}`)
  try {
    const finding = notInForce(daemon, configOf(args, world))
    if (finding !== undefined) warn(finding)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const [first = ''] = error.message.split('\n')
    warn({ sentence: `the daemon goes by what it read before, for ${first}`, mend: 'posternd check' })
  }
}

/** A start that cannot work leaves no port open that was guarded before: its error goes on, behind a shut gate. */
function startOrLastGate(args: Arguments, world: World, keep: boolean): void {
  const folder = join(stateDirOf(args), 'monitor')
  const bootId = Buffer.from(readBootId()).toString('hex')
  const trial = trialInForce(stateDirOf(args), bootId, readMonoMs())
  try {
    const config = configOf(args, world)
    refuseEmptied(config, folder)
    const isOutdated = outdatedBy(join(runDirOf(args), LEASES_MARK), config)
    managerFor(onTrial(config, trial), world).manager.start({ keep, isOutdated })
  } catch (error) {
    if (leavesNoGate(error) && trial === undefined) {
      const raise = () => raiseLastGate(folder, nftProgram('nft'), kernelOf(world), { keep })
      world.printer.error(`posternd: ${gateInstead(raise)}`)
    }
    throw error
  }
}

export const down: Command = {
  name: 'down',
  positionals: '',
  describe: 'take everything of ours out of the kernel and end the daemon: the ports are as the host’s own rules say',
  options: [CONFIG_OPTION, RUN_DIR_OPTION, STATE_DIR_OPTION],
  examples: [['posternd down', 'before removing postern']],
  run: async (args, world) => {
    refuseWords(args)
    try {
      const answer = await askControl(controlPathOf(args), { command: 'down' })
      if (!answer.ok) throw new ControlError('broken', answer.error)
    } catch (error) {
      if (!(error instanceof ControlError && error.code === 'absent')) throw error
      managerOf(args, world).manager.remove()
    }
    forgetTrial(stateDirOf(args))
    world.printer.line('down: nothing of postern is in the kernel; its ports are as the host’s own rules say')
    return EXIT.ok
  },
}
