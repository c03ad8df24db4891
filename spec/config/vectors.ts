/**
 * The 126 configuration files that the real letmein, letmeind and letmeinfwd were given, and what they said.
 */
import { readFileSync } from 'node:fs'

export interface Probe {
  readonly user: string
  readonly resource: string
  readonly key: string
  readonly answers: readonly string[]
  readonly rules_added: readonly string[]
}

export interface Configuration {
  readonly name: string
  readonly program: 'server' | 'client'
  readonly file?: string
  readonly file_base64?: string
  readonly mode?: string
  readonly owner_uid?: number
  readonly letmeind?: 'accepted' | 'refused'
  readonly letmeinfwd?: 'accepted' | 'refused'
  readonly letmein?: 'accepted' | 'refused'
  readonly control_port?: { readonly tcp: readonly number[]; readonly udp: readonly number[] }
  readonly probes?: readonly Probe[]
  readonly default_user?: string
  readonly commands?: readonly {
    readonly arguments: readonly string[]
    readonly sent: readonly {
      readonly transport: string
      readonly port: number
      readonly user: string
      readonly resource: string
    }[]
  }[]
}

export const configurations: readonly Configuration[] = JSON.parse(
  readFileSync(new URL('../vectors/letmein.json', import.meta.url), 'utf8'),
).configurations

/** The file's bytes. */
export function bytesOf(configuration: Configuration): Uint8Array {
  return configuration.file === undefined
    ? Buffer.from(configuration.file_base64!, 'base64')
    : Buffer.from(configuration.file, 'utf8')
}
