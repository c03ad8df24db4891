/** The lines of ssh's configuration that make ssh knock by itself, and their place in a file of the user's own. Pure. */

/** How ssh gets its connection. */
export type SshForm =
  /** ProxyCommand hands ssh the connection itself. */
  | 'fdpass'
  /** ProxyCommand stands between. */
  | 'pipe'
  /** `Match exec` knocks, and ssh connects by itself. */
  | 'match-exec'

export interface SshLines {
  /** As ssh is called with: a name, an alias or a pattern. */
  readonly host: string
  readonly form: SshForm
  /** The program as words of a shell's command line. */
  readonly program: readonly string[]
  /** Options of `postern connect` or `postern knock`. */
  readonly options: readonly string[]
  /** Whose command line it is; this system's where none is said. */
  readonly platform?: NodeJS.Platform
}

/** The block to paste. Throws RangeError where a word cannot be written for Windows. */
export function sshLines({ host, form, program, options, platform = process.platform }: SshLines): string {
  const word = platform === 'win32' ? windowsWord : shellWord
  const words = (...more: string[]) => [...program.map(word), ...more].join(' ')
  const given = options.map(word)
  if (form === 'match-exec') {
    const command = words('knock', '--quiet', '--wait', ...given, '%h', '%p')
    return `Match originalhost ${host} exec "${command.replace(/["\\]/g, '\\$&')}"\n`
  }
  const command =
    form === 'fdpass'
      ? `env NODE_CHANNEL_FD=1 ${words('connect', '--fdpass', ...given, '%h', '%p')}\n  ProxyUseFdpass yes`
      : words('connect', ...given, '%h', '%p')
  return `Host ${host}\n  ProxyCommand ${command}\n`
}

/** A word as a POSIX shell reads it back, in a line in which ssh itself reads `%` as a sign of its own. */
function shellWord(word: string): string {
  const quoted = /^[A-Za-z0-9_./:@,+=-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`
  return quoted.replace(/%/g, '%%')
}

/** A word as a Windows program and cmd.exe read it back, which know no single quotes. */
function windowsWord(word: string): string {
  if (/["\r\n]/.test(word)) throw new RangeError(`${word}: expected no quotation mark, which Windows cannot quote`)
  const quoted = /^[A-Za-z0-9_./:\\@+-]+$/.test(word) ? word : `"${word.replace(/\\$/, '\\\\')}"`
  return quoted.replace(/%/g, '%%')
}

const begin = (host: string) =>
  `# >>> postern ${host}: between these lines \`postern ssh-config ${host} --install\` writes`
const end = (host: string) => `# <<< postern ${host}`

/**
 * The text with this block at its top, for ssh takes the first value that it finds, or in the place of the one that is there.
 * What follows is for all hosts again, as the top of a file is. Throws RangeError where the block that is there has no end.
 */
export function withBlock(text: string, host: string, lines: string): string {
  const block = `${begin(host)}\n${lines}Match all\n${end(host)}\n`
  const place = placeOf(text, host)
  if (place === undefined) return text === '' ? block : `${block}\n${text}`
  return text.slice(0, place.from) + block + text.slice(place.to)
}

/** The text without it, or undefined where there is none. Throws RangeError where it has no end. */
export function withoutBlock(text: string, host: string): string | undefined {
  const place = placeOf(text, host)
  if (place === undefined) return undefined
  const rest = text.slice(place.to)
  return text.slice(0, place.from) + (place.from === 0 ? rest.replace(/^\n/, '') : rest)
}

function placeOf(text: string, host: string): { from: number; to: number } | undefined {
  const lines = text.split(/(?<=\n)/)
  const isLine = (line: string, wanted: string) => line.trimEnd() === wanted
  const first = lines.findIndex((line) => isLine(line, begin(host)))
  if (first < 0) return undefined
  const last = lines.findIndex((line, index) => index > first && isLine(line, end(host)))
  if (last < 0) throw new RangeError(`line ${first + 1}: "${begin(host)}" without "${end(host)}" below it`)
  const lengthOf = (some: readonly string[]) => some.reduce((sum, line) => sum + line.length, 0)
  return { from: lengthOf(lines.slice(0, first)), to: lengthOf(lines.slice(0, last + 1)) }
}
