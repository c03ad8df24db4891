/**
 * Who may read and write a file of ours (docs/SECURITY.md, "Key files"): a file that others can write is refused, and so is
 * a file with keys that others can read. Pure: judges what fstat said of the opened file, so nothing can change in between.
 */

export interface FileFacts {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** Who reads. `daemon`: its group may read too. `client`: letmein.conf may be read by all, as its authors advise. */
export interface Reader {
  readonly role: 'daemon' | 'client'
  /** undefined where the system has no owners and modes of this kind (Windows): nothing is judged. */
  readonly uid: number | undefined
  readonly groups: readonly number[]
}

export interface Judgement {
  readonly refused: boolean
  /** What is there, what was expected, and the command that cures it. */
  readonly message: string
}

const GROUP_WRITE = 0o020
const OTHERS_WRITE = 0o002
const GROUP_READ = 0o040
const OTHERS_READ = 0o004

/** Why nobody should believe what this file says, or undefined. `remedy`: the command that cures its mode. */
export function judgeWriters(
  file: string,
  facts: FileFacts,
  reader: Reader,
  remedy = cure(file, facts, reader),
): Judgement | undefined {
  if (reader.uid === undefined) return undefined
  if (facts.uid !== 0 && facts.uid !== reader.uid) {
    const owner = reader.role === 'daemon' || reader.uid === 0 ? 'root' : `root or uid ${reader.uid}`
    const name = reader.role === 'daemon' || reader.uid === 0 ? 'root' : reader.uid
    return refused(`owned by uid ${facts.uid}`, `a file of ${owner}`, `chown ${name} ${shellWord(file)}`)
  }
  const writers = who(facts, GROUP_WRITE, OTHERS_WRITE)
  if (writers === undefined) return undefined
  return refused(`mode ${octal(facts)}, writable by ${writers}`, 'only its owner to write it', remedy)
}

/** Why this file should hold no keys, or undefined. */
export function judgeReaders(file: string, facts: FileFacts, reader: Reader): Judgement | undefined {
  if (reader.uid === undefined) return undefined
  // A group that may read is the daemon's own, or one that root chose for a file of its own.
  const groupIsFine = reader.role === 'daemon' ? reader.groups.includes(facts.gid) : facts.uid === 0
  const readers = who(facts, groupIsFine ? 0 : GROUP_READ, OTHERS_READ)
  if (readers === undefined) return undefined
  const judgement = refused(
    `mode ${octal(facts)}, readable by ${readers}`,
    'keys that nobody else can read',
    cure(file, facts, reader),
  )
  return { ...judgement, refused: reader.role === 'daemon' || !/(^|[/\\])letmein\.conf$/.test(file) }
}

function who(facts: FileFacts, group: number, others: number): string | undefined {
  if ((facts.mode & others) !== 0) return 'everybody'
  return (facts.mode & group) !== 0 ? `group ${facts.gid}` : undefined
}

function refused(found: string, expected: string, command: string): Judgement {
  return { refused: true, message: `${found}: expected ${expected}: ${command}` }
}

/** The daemon reads through its group where that is the file's, so the group keeps its right to read. */
function cure(file: string, facts: FileFacts, reader: Reader): string {
  const keepsGroup = reader.role === 'daemon' && reader.groups.includes(facts.gid)
  return `chmod ${keepsGroup ? '640' : '600'} ${shellWord(file)}`
}

function octal({ mode }: FileFacts): string {
  return (mode & 0o7777).toString(8).padStart(4, '0')
}

/** A path as one word of a shell, to be copied from a message. */
export function shellWord(path: string): string {
  return /^[A-Za-z0-9_./~+@:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
