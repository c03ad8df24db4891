/** What the monitor is made of and what it tells whom: handed in by its program. */
import type { ServerConfig } from '../config/types.js'
import type { RuleManager } from '../firewall/manager.js'
import type { Now } from '../replay/clock.js'
import type { Horizon } from '../replay/horizon.js'
import type { Log } from './log.js'
import type { Roller } from './roller.js'
import type { Message } from './settings.js'
import type { Sleep } from './sleep.js'
import type { UserKeys } from './user-keys.js'

export interface MonitorParts {
  now(): Now
  readonly log: Log
  readonly manager: RuleManager
  readonly horizon: Horizon
  readonly roller: Roller
  readonly sleep: Sleep
  /** Leases end as if the machine had not slept. Never throws. */
  makeUpForSleep(): void
  send(message: Message): void
  /** The hello's nonce goes out alone, ahead of the first message. */
  echo(nonce: Uint8Array): void
  /** How much of what it was told the listener has not taken. */
  unreadBytes(): number
  /** Reads the configuration again. Throws ConfigError. */
  readConfig(): ServerConfig
  /** Another configuration is in force. */
  onReloaded(config: ServerConfig, users: readonly UserKeys[]): void
  /** A listener has its journal, and hears. */
  onListening(): void
  alive(): void
  /** The listener does not answer: start both again. */
  giveUp(why: string): void
}
