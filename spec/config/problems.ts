/** A server's file for the specs, and what is said of a bad one. */
import { expect } from 'chai'
import { ConfigError } from '../../lib/config/error.js'
import { readServerConfig } from '../../lib/config/server.js'

export const KEY = '9F3C51D2A7B84E06F1C29D7B3A58E4601C7FD2B9856E43A0D1F7285B9CE63A40'
export const OTHER = '4AD07C1BE95236F8A01D4C7EE2539B68F7105AD3C8642BE91F3A70D5B8C6E214'
/** Three lines. */
export const KEYS = `[KEYS]\n1 = ${KEY}\n2 = ${OTHER}\n`

export const read = (text: string) => readServerConfig(text, 'posternd.conf')

/** The lines of the error that this text is refused with. */
export function problems(text: string): string[] {
  try {
    read(text)
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigError).with.property('code', 'config')
    return (error as ConfigError).message.split('\n')
  }
  throw new Error(`accepted: ${text}`)
}
