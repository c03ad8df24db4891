/** `posternd open` and `posternd revoke`: the administrator's own hand on a running daemon's leases. */
import { quote } from '../../config/error.js'
import { loadServerConfig } from '../../config/files.js'
import type { ServerConfig } from '../../config/types.js'
import { askControl, ControlError } from '../../daemon/control.js'
import { describeOutcome } from '../../daemon/outcomes.js'
import type { LeaseOutcome } from '../../firewall/types.js'
import { canonicalAddress } from '../../wire/address.js'
import type { Command, World } from '../command.js'
import { wholeSeconds } from '../duration.js'
import { EXIT, type ExitCode } from '../exit.js'
import { type Arguments, isGiven, type Option, textOf } from '../options.js'
import { UsageError } from '../usage.js'
import { CONFIG_OPTION, controlPathOf, JSON_OPTION, RUN_DIR_OPTION } from './options.js'
import { resourceNamed, resourceWords } from './resource-named.js'

const LIFETIME: Option = {
  name: 'lifetime',
  alias: 'l',
  value: 'TIME',
  describe: 'how long: 90, 90s, 30m, 1h',
  preset: "the resource's",
}

export const open: Command = {
  name: 'open',
  positionals: 'RESOURCE ADDRESS',
  describe: 'give ADDRESS a lease of RESOURCE (its id, its name or a port of it)',
  options: [LIFETIME, CONFIG_OPTION, RUN_DIR_OPTION, JSON_OPTION],
  examples: [
    ['posternd open 22 192.0.2.7', 'whoever has no key at hand'],
    ['posternd open ssh 2001:db8::7 --lifetime 1h', 'by name, for an hour at most'],
  ],
  run: (args, world) => change('open', args, world),
}

export const revoke: Command = {
  name: 'revoke',
  positionals: 'RESOURCE ADDRESS',
  describe: 'end the lease of RESOURCE that ADDRESS has',
  options: [CONFIG_OPTION, RUN_DIR_OPTION, JSON_OPTION],
  examples: [['posternd revoke 22 192.0.2.7', 'at once']],
  run: (args, world) => change('revoke', args, world),
}

async function change(command: 'open' | 'revoke', args: Arguments, { printer, env }: World): Promise<ExitCode> {
  const [name, to, ...more] = args.positionals
  const config = () => loadServerConfig(textOf(args, 'config') ?? env['POSTERN_CONFIG'])
  if (name === undefined)
    throw new UsageError(`RESOURCE is missing: expected posternd ${command} RESOURCE ADDRESS${knownHere(config)}`)
  if (to === undefined) throw new UsageError(`ADDRESS is missing: expected posternd ${command} ${name} 192.0.2.7`)
  if (more.length > 0)
    throw new UsageError(`${quote(more[0]!)}: expected one RESOURCE and one ADDRESS: posternd ${command} ${name} ${to}`)
  const address = canonicalAddress(to)
  if (address === undefined) throw new UsageError(`ADDRESS "${to}": expected an IPv4 or IPv6 address, like 192.0.2.7`)
  const lifetime = textOf(args, 'lifetime')
  const lifetimeSeconds =
    lifetime === undefined ? 0 : wholeSeconds('--lifetime', lifetime, { least: 1, greatest: 0xffff_ffff })
  const resource = resourceNamed(name, config(), 'RESOURCE').id
  const answer = await askControl(controlPathOf(args), { command, resource, address, lifetimeSeconds }).catch(
    (error: unknown) => {
      if (!(error instanceof ControlError && error.code === 'absent')) throw error
      throw new ControlError('absent', `${error.message}: systemctl start postern`)
    },
  )
  if (!answer.ok) throw new ControlError('broken', answer.error)
  const outcome = answer['outcome'] as LeaseOutcome
  printer.line(
    isGiven(args, 'json') ? JSON.stringify(outcome) : `${describeOutcome(outcome)}${cut(outcome, lifetimeSeconds)}`,
  )
  return outcome.kind === 'refused' ? EXIT.failed : EXIT.ok
}

/** The resources of the file, if it can be read. */
function knownHere(config: () => ServerConfig): string {
  try {
    return `; RESOURCE is one of ${resourceWords(config().resources.values())}`
  } catch {
    return ''
  }
}

/** What the resource's max-timeout left of the wish. The end is the kernel's to say, so a moment less is no less. */
function cut(outcome: LeaseOutcome, askedSeconds: number): string {
  if (!('remainingMs' in outcome) || outcome.remainingMs > askedSeconds * 1000 - 1000) return ''
  return ` (not the ${askedSeconds} s that were asked for: the resource's max-timeout allows no more)`
}
