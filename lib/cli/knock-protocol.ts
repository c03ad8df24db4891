/** Which protocol a knock's arguments and the client's file mean, and what the exchange of letmein needs for it. Pure. */
import type { Transport } from '../client/letmein-line.js'
import { quote } from '../config/error.js'
import type { ClientConfig, KnockProtocol, Resource } from '../config/types.js'
import type { KnockArguments } from './knock-arguments.js'
import { UsageError } from './usage.js'

export interface LetmeinPlan {
  readonly transport: Transport
  readonly controlPort: number | 'any'
  readonly timeoutMs: number
}

/** What only postern's own datagram can say. */
const UNSAYABLE = ['lifetime', 'address', 'extend']

/**
 * The command line comes before the file; a realm on it means postern's own datagram, for letmein has none, and an option of
 * fwknop's means fwknop. Throws UsageError at an option that the protocol has no use for.
 */
export function protocolFor(asked: KnockArguments, config: ClientConfig): KnockProtocol {
  const { spaOptions, transport } = asked
  const protocol = meantBy(asked, config)
  if (protocol === 'fwknop') return protocol
  refuseFwknops(asked, protocol)
  const [strange] = spaOptions
  if (protocol === 'letmein' && strange !== undefined) {
    const why = strange === 'tries' ? 'is repeated by itself within control-timeout' : 'cannot say it'
    throw new UsageError(`--${strange}: letmein's exchange ${why}: leave it out, or knock with --protocol spa`)
  }
  if (protocol === 'spa' && transport === 'tcp')
    throw new UsageError("--tcp: postern's own datagram goes over UDP: leave it out, or knock with --protocol letmein")
  return protocol === 'auto' && spaOptions.some((name) => UNSAYABLE.includes(name)) ? 'spa' : protocol
}

function meantBy({ protocol, spaOptions, fwknopOptions }: KnockArguments, config: ClientConfig): KnockProtocol {
  if (protocol !== undefined) return protocol
  if (fwknopOptions.length > 0) return 'fwknop'
  return config.protocol === 'letmein' && spaOptions.includes('realm') ? 'spa' : config.protocol
}

/** What only fwknop's packet can say, and what it alone needs not be told. */
function refuseFwknops(asked: KnockArguments, protocol: string): void {
  const { fwknopOptions, prefixedPort, allowWord, ports, names, resource, waitMs } = asked
  const [option] = fwknopOptions
  const instead = 'leave it out, or knock with --protocol fwknop'
  if (option !== undefined) throw new UsageError(`--${option} with --protocol ${protocol}: it is fwknop's: ${instead}`)
  if (prefixedPort !== undefined)
    throw new UsageError(`PORT ${quote(prefixedPort)}: expected 1–65535; tcp/ and udp/ are for --protocol fwknop`)
  if (allowWord !== undefined && allowWord !== 'auto')
    throw new UsageError(
      `--address ${allowWord}: expected an IPv4 or IPv6 address, like 192.0.2.7, or auto: ${instead}`,
    )
  const isNothingNamed = ports.length === 0 && names.length === 0
  if (isNothingNamed && resource === undefined)
    throw new UsageError('PORT is missing: name one, or a resource, or --resource ID')
  if (waitMs !== undefined && isNothingNamed) throw new UsageError('--wait without PORT: name the TCP port to wait for')
}

/** Where and how the exchange is held. Throws UsageError where the port cannot be meant. */
export function letmeinPlan(
  asked: KnockArguments,
  { port, controlTimeoutMs }: ClientConfig,
  protocol: KnockProtocol,
): LetmeinPlan {
  const transport: Transport = asked.transport ?? (port.protocols.includes('tcp') ? 'tcp' : 'udp')
  const controlPort = asked.controlPort ?? port.udp
  if (protocol !== 'spa' && transport === 'tcp' && controlPort === 'any')
    throw new UsageError('--port any: over TCP a number is expected: --udp, or --port NUMBER')
  return { transport, controlPort, timeoutMs: controlTimeoutMs }
}

/** The TCP port by which a resource can be seen; none where a connection is no sign (UDP), or uses the lease up. */
export function probePortOf({ target, connections }: Resource, port: number | undefined): number | undefined {
  if (target.kind !== 'ports' || !target.protocols.includes('tcp') || connections > 0) return undefined
  return port ?? target.ports[0]!.first
}
