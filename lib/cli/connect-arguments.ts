/** The arguments of `postern connect`: those of a knock that waits for its one port. Pure. */
import { CONNECT_TIMEOUT_MS, CONNECT_TRIES } from '../client/connect.js'
import { milliseconds } from './duration.js'
import { type KnockArguments, knockArguments } from './knock-arguments.js'
import { type Arguments, textOf } from './options.js'
import { UsageError } from './usage.js'

/** The arguments meant. `hasHost`: the environment names a host. Throws UsageError. */
export function connectArguments(args: Arguments, hasHost: boolean): KnockArguments & { readonly waitMs: number } {
  const { wait, ...values } = args.values
  const asked = knockArguments({ positionals: args.positionals, values }, hasHost, 'connect')
  const ports = asked.ports.length + asked.names.length
  if (ports > 1) throw new UsageError(`${ports} ports: expected one: postern connect HOST PORT`)
  const text = typeof wait === 'string' ? wait : undefined
  const waitMs =
    text === undefined ? CONNECT_TIMEOUT_MS : milliseconds('--wait', text, { least: 0.1, greatest: 86_400 })
  const tries = textOf(args, 'tries') === undefined ? CONNECT_TRIES : asked.tries
  return { ...asked, tries, waitMs, connects: true }
}
