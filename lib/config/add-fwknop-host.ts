/** Puts a stanza of ~/.fwknoprc into the text of a client's file, as a section [HOST NAME] that refers to it: no key is copied. Pure. */
import { addOptions } from './add-options.js'
import { readClientConfig } from './client.js'
import { appendSection } from './edit.js'
import { ConfigError, quote } from './error.js'
import { hostNamed } from './hosts.js'

export interface StanzaHost {
  /** The stanza's name, which the commands will take. */
  readonly stanza: string
  /** Its SPA_SERVER. */
  readonly server?: string
  /** The file that the stanza is in, and the one that is read where a client's file names none. */
  readonly rcFile: string
  readonly usualRcFile: string
}

/**
 * The file's text with it; unchanged where it says so already. Throws ConfigError where the file is not good, knows the name as
 * something else, or reads another .fwknoprc.
 */
export function withFwknopHost(
  text: string,
  path: string,
  { stanza, server, rcFile, usualRcFile }: StanzaHost,
  atHome: (file: string) => string,
): string {
  const config = readClientConfig(text, path)
  const refuse = (line: number, message: string) => new ConfigError([{ file: path, line, message }])
  const named = config.fwknop.rcFile
  if (named !== undefined && atHome(named) !== rcFile)
    throw refuse(0, `[FWKNOP] rc-file is ${named}: one file is read, expected the stanza ${quote(stanza)} in it`)
  const known = hostNamed(config, stanza)
  const isKnown = known?.protocol === 'fwknop' && known.name.toLowerCase() === stanza.toLowerCase()
  if (known !== undefined && !isKnown)
    throw refuse(
      known.line,
      `[HOST ${known.name}] is there, for another server or protocol: add "protocol = fwknop" to it by hand`,
    )
  const withFile =
    named === undefined && rcFile !== usualRcFile
      ? addOptions(text, [{ section: 'FWKNOP', name: 'rc-file', value: rcFile }])
      : text
  const address = server === undefined || server.toLowerCase() === stanza.toLowerCase() ? [] : [`address = ${server}`]
  const changed = isKnown ? withFile : appendSection(withFile, `HOST ${stanza}`, [...address, 'protocol = fwknop'])
  readClientConfig(changed, path)
  return changed
}
