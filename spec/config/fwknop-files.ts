/** fwknopd's files for the specs, kept in memory, and what a posternd.conf that refers to them says. */
import { expect } from 'chai'
import { ConfigError } from '../../lib/config/error.js'
import type { ReferredFiles } from '../../lib/config/referred-files.js'
import { readServerConfig } from '../../lib/config/server.js'
import type { ServerConfig } from '../../lib/config/types.js'

export const ACCESS = '/etc/fwknop/access.conf'
export const DAEMON = '/etc/fwknop/fwknopd.conf'
/** Three lines: SOURCE and two keys. */
export const STANZA = 'SOURCE ANY\nKEY a passphrase\nHMAC_KEY another one\n'

/** Files by path; a folder is the paths that begin with its name. */
export function inMemory(texts: Readonly<Record<string, string>>): ReferredFiles {
  const read = (file: string) => {
    const text = texts[file]
    if (text === undefined) throw new ConfigError([{ file, line: 0, message: 'no such file' }], 'missing')
    return text
  }
  return {
    read,
    readKeys: (file) => ({ text: read(file), warnings: [] }),
    list: (folder) => {
      const within = Object.keys(texts).filter((file) => file.startsWith(`${folder.replace(/\/$/, '')}/`))
      if (within.length === 0) throw new ConfigError([{ file: folder, line: 0, message: 'no such folder' }], 'missing')
      return within.map((file) => file.slice(folder.replace(/\/$/, '').length + 1))
    },
  }
}

export interface Told {
  /** Further lines of [FWKNOP], and sections behind it. */
  readonly more?: string
  readonly files?: Readonly<Record<string, string>>
}

/** posternd.conf of six lines, with its files. */
export function readWith(access: string, { more = '', files = {} }: Told = {}): ServerConfig {
  const named = DAEMON in files ? `\nconfig-file = ${DAEMON}` : ''
  const text = `[GENERAL]\nport = 5800 / udp\n[SPA]\nrealm = here\n[FWKNOP]\naccess-file = ${ACCESS}${named}\n${more}`
  return readServerConfig(text, 'posternd.conf', {}, inMemory({ [ACCESS]: access, ...files }))
}

/** The one stanza of this access.conf. */
export function stanzaOf(access: string, told: Told = {}) {
  const stanzas = readWith(access, told).fwknop!.settings.stanzas
  expect(stanzas).to.have.length(1)
  return stanzas[0]!
}

/** The lines of the error that these files are refused with. */
export function refusals(access: string, told: Told = {}): string[] {
  try {
    readWith(access, told)
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigError)
    return (error as ConfigError).message.split('\n')
  }
  throw new Error(`accepted: ${access}`)
}
