/**
 * `posternd up`: the shut gate with no daemon (at boot, before the network). `posternd down`: everything of ours out of the
 * kernel, whether a daemon runs or not.
 */
import { join } from 'node:path'
import { BOOT_MARK, hasBootMark, leaveBootMark } from '../../daemon/boot-mark.js'
import { readMonoMs } from '../../daemon/clock.js'
import { askControl, ControlError } from '../../daemon/control.js'
import { gateInstead, leavesNoGate, raiseLastGate, refuseEmptied } from '../../daemon/last-gate.js'
import { LEASES_MARK, outdatedBy } from '../../daemon/leases-mark.js'
import { forgetTrial, onTrial, trialInForce } from '../../daemon/trial.js'
import { nftProgram } from '../../firewall/nft.js'
import { readBootId } from '../../replay/boot-id.js'
import type { Command, World } from '../command.js'
import { EXIT } from '../exit.js'
import type { Arguments } from '../options.js'
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

export const up: Command = {
  name: 'up',
  positionals: '',
  describe: 'put the shut gate up without a daemon; postern-gate.service does it at boot, before the network',
  options: [CONFIG_OPTION, RUN_DIR_OPTION, STATE_DIR_OPTION],
  examples: [['posternd up', 'protected ports are shut from here on; leases of an earlier boot are gone']],
  run: async (args, world) => {
    refuseWords(args)
    if (await isKept(args)) {
      world.printer.line('up: posternd runs, and keeps the gate itself')
      return EXIT.ok
    }
    const bootId = Buffer.from(readBootId()).toString('hex')
    const mark = join(runDirOf(args), BOOT_MARK)
    startOrLastGate(args, world, hasBootMark(mark, bootId))
    leaveBootMark(mark, bootId)
    return EXIT.ok
  },
}

/** Whether a daemon answers: it puts back what somebody flushes, and would take a second hand for somebody else's. */
async function isKept(args: Arguments): Promise<boolean> {
  try {
    return (await askControl(controlPathOf(args), { command: 'status' })).ok
  } catch {
    return false
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
