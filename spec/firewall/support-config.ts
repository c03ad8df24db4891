/** A server configuration for specs of the firewall, of which each says only what it is about. */
import type { FwknopConfig, Resource, ServerConfig } from '../../lib/config/types.js'

export const USER = 1
export const OTHER_USER = 2

type Wanted = Partial<Omit<Resource, 'target'>> & {
  readonly id: number
  readonly ports?: readonly (number | readonly [number, number])[]
  readonly protocols?: readonly ('tcp' | 'udp')[]
  readonly target?: Resource['target']
}

export interface Choices {
  readonly resources: readonly Wanted[]
  readonly users?: readonly number[]
  readonly firewall?: Partial<ServerConfig['firewall']>
  readonly letmein?: Partial<ServerConfig['letmein']>
  /** None: it is off. */
  readonly fwknop?: Partial<FwknopConfig>
  readonly spa?: Partial<ServerConfig['spa']>
  readonly limits?: Partial<ServerConfig['limits']>
}

export function serverConfig({
  resources,
  users = [USER, OTHER_USER],
  firewall,
  letmein,
  fwknop,
  spa,
  limits,
}: Choices): ServerConfig {
  return {
    file: 'posternd.conf',
    debug: false,
    letmein: {
      enabled: false,
      rate: 10,
      burst: 20,
      rateAll: 2000,
      burstAll: 500,
      ports: { udp: [5800], tcp: [] },
      controlTimeoutMs: 5000,
      errorPolicy: 'basic-auth',
      ...letmein,
    },
    ...(fwknop === undefined ? {} : { fwknop: fwknopConfig(fwknop) }),
    spa: { enabled: true, realm: 'spec', windowMs: 60_000, ports: [5800], requireAddress: 'optional', ...spa },
    firewall: {
      mode: 'guard',
      table: 'postern',
      closed: 'auto',
      markBit: 0x10000,
      trust: [],
      guardForward: [],
      heardGroup: 5800,
      recordGroup: 5801,
      nft: 'nft',
      ...firewall,
    },
    limits: { leasesPerUser: 64, tagRate: 5, tagBurst: 8, maxTokens: 262_144, replayEntries: 1000, ...limits },
    users: new Map(users.map((user) => [user, new Uint8Array(32).fill(user)])),
    oldKeys: new Map(),
    log: { format: 'text' },
    people: new Map(),
    removed: new Map(),
    resources: new Map(resources.map((wanted) => [wanted.id, resource(wanted)])),
    warnings: [],
  }
}

function fwknopConfig(choices: Partial<FwknopConfig>): FwknopConfig {
  return {
    files: [],
    folders: [],
    ports: [62_201],
    rate: 10,
    burst: 20,
    rateAll: 2000,
    burstAll: 500,
    settings: { stanzas: [], maxAgeMs: 120_000, resources: new Map() },
    ...choices,
  }
}

function resource({ ports = [22], protocols = ['tcp'], target, ...rest }: Wanted): Resource {
  return {
    line: 1,
    target: target ?? {
      kind: 'ports',
      ports: ports.map((port) =>
        typeof port === 'number' ? { first: port, last: port } : { first: port[0], last: port[1] },
      ),
      protocols,
    },
    timeoutMs: 30_000,
    saysTimeout: true,
    maxTimeoutMs: 600_000,
    instant: false,
    cut: false,
    connections: 0,
    maxLeases: 0,
    requireAddress: 'optional',
    ...rest,
  }
}
