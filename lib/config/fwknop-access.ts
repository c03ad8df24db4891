/**
 * fwknopd's access.conf, read unchanged (docs/PROTOCOL.md, "fwknop: access.conf"): stanzas, and the files that it includes.
 * Files are handed in.
 */
import { isAbsolute, join } from 'node:path'
import { ConfigError, type Findings, quote } from './error.js'
import { heeded } from './fwknop-directives.js'
import { type FwknopLine, fwknopLines } from './fwknop-lines.js'
import { type ReadStanza, readStanza, type Said, type StanzaChoices } from './fwknop-stanza.js'
import type { ReferredFiles } from './referred-files.js'

export interface Access {
  /** In the order in which fwknopd tries them. */
  readonly stanzas: readonly ReadStanza[]
  /** Every file that was read, access.conf first. */
  readonly files: readonly string[]
  /** Those of %include_folder. */
  readonly folders: readonly string[]
  /** Whole sentences about who can read them. */
  readonly warnings: readonly string[]
}

/** fwknopd's: a file, one that it includes, and one that that includes. */
const MOST_DEPTH = 3
/** A folder that includes itself must end. */
const MOST_FILES = 1000
/** Each packet of a stranger costs an HMAC for each different key. */
const MOST_STANZAS = 1024
const KEY_NAMES = ['KEY', 'HMAC_KEY']

/** The stanzas of `file` and of what it includes. All that is wrong is among the findings. */
export function readAccess(file: string, files: ReferredFiles, choices: StanzaChoices, findings: Findings): Access {
  const reader = new AccessReader(files)
  reader.readFile(file, 1, findings.of(file))
  const stanzas = reader.drafts.slice(0, MOST_STANZAS).flatMap((draft) => readStanza(draft, choices) ?? [])
  if (reader.drafts.length === 0 && reader.files.length > 0)
    findings.of(file).refuse(0, 'no stanza: expected a line SOURCE ANY, and KEY_BASE64 and more below it')
  if (reader.drafts.length > MOST_STANZAS)
    findings.of(file).refuse(0, `${reader.drafts.length} stanzas: expected at most ${MOST_STANZAS}`)
  return { stanzas, files: reader.files, folders: reader.folders, warnings: reader.warnings }
}

interface Draft {
  readonly source: Said
  readonly said: Map<string, Said>
}

/** The line that names a file or folder, and whose file that is. */
interface Naming {
  readonly line: FwknopLine
  readonly findings: Findings
}

class AccessReader {
  readonly drafts: Draft[] = []
  readonly files: string[] = []
  readonly folders: string[] = []
  readonly warnings: string[] = []
  readonly #source: ReferredFiles
  #read = 0

  constructor(source: ReferredFiles) {
    this.#source = source
  }

  readFile(file: string, depth: number, findings: Findings, by?: Naming): void {
    let draft: Draft | undefined
    for (const line of this.#linesOf(file, findings, by)) {
      if (line.name === 'SOURCE') {
        draft = { source: { line, findings }, said: new Map() }
        this.drafts.push(draft)
      } else if (line.name === '%include' || line.name === '%include_folder') this.#include(line, depth, findings)
      else if (draft === undefined)
        findings.refuse(
          line.line,
          `${line.name}: expected a line SOURCE above it: fwknopd passes over what is not in a stanza`,
        )
      else if (line.name === '%include_keys') this.#includeKeys(line, draft, findings)
      else note(line, draft, findings)
    }
  }

  #linesOf(file: string, findings: Findings, by?: Naming): FwknopLine[] {
    if (this.#read >= MOST_FILES) {
      findings.refuse(0, `more than ${MOST_FILES} files are included`)
      return []
    }
    try {
      const { text, warnings } = this.#source.readKeys(file)
      this.#read++
      if (!this.files.includes(file)) {
        this.files.push(file)
        this.warnings.push(...warnings)
      }
      return fwknopLines(text, (line, message) => findings.refuse(line, message)).map(withoutColon)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      adopt(error, findings, by)
      return []
    }
  }

  #include(line: FwknopLine, depth: number, findings: Findings): void {
    const { name, value } = line
    if (!isAbsolutePath(line, findings)) return
    if (depth >= MOST_DEPTH) {
      findings.refuse(line.line, `${name} ${value}: expected at most ${MOST_DEPTH} files deep, as fwknopd does`)
      return
    }
    const by = { line, findings }
    for (const file of name === '%include' ? [value] : this.#filesIn(value, by))
      this.readFile(file, depth + 1, findings.of(file), by)
  }

  #filesIn(folder: string, by: Naming): string[] {
    try {
      const names = this.#source.list(folder).filter((name) => name.endsWith('.conf'))
      if (!this.folders.includes(folder)) this.folders.push(folder)
      return names.sort().map((name) => join(folder, name))
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      adopt(error, by.findings, by)
      return []
    }
  }

  #includeKeys(line: FwknopLine, draft: Draft, findings: Findings): void {
    if (!isAbsolutePath(line, findings)) return
    const inside = findings.of(line.value)
    for (const row of this.#linesOf(line.value, inside, { line, findings })) {
      const isKey = KEY_NAMES.includes(row.name.replace(/_BASE64$/, ''))
      if (isKey) note(row, draft, inside)
      else
        inside.refuse(row.line, 'expected KEY, KEY_BASE64, HMAC_KEY or HMAC_KEY_BASE64: fwknopd passes over the rest')
    }
  }
}

/** What is missing is told by the line that names it. */
function adopt(error: ConfigError, findings: Findings, by: Naming | undefined): void {
  if (by !== undefined && error.code === 'missing') by.findings.refuse(by.line.line, `${by.line.name} ${error.message}`)
  else findings.adopt(error)
}

/** Of two lines of the same the last counts, as in fwknopd. */
function note(line: FwknopLine, { said }: Draft, findings: Findings): void {
  const name = heeded(line, findings)
  if (name === undefined) return
  const first = said.get(name)
  if (first !== undefined)
    findings.warn(
      line.line,
      `${line.name}: counts, and not ${first.line.name} in line ${first.line.line}: of two the last does, as in fwknopd`,
    )
  said.set(name, { line, findings })
}

function isAbsolutePath({ name, value, line }: FwknopLine, findings: Findings): boolean {
  if (isAbsolute(value)) return true
  findings.refuse(line, `${name} ${quote(value)}: expected a path that begins with /`)
  return false
}

/** `KEY: value` is `KEY value`. */
function withoutColon(line: FwknopLine): FwknopLine {
  return line.name.endsWith(':') ? { ...line, name: line.name.slice(0, -1) } : line
}
