/**
 * Holds fwknop's packets and gate against a file of vectors. Specification of the format: docs/PROTOCOL.md, "fwknop". The file:
 * `vectors` (packets of real clients, the commands that sent them, and what fwknopd did), `libfko_vectors` (packets that the library made
 * and read), `edge_cases` (packets made by hand, and the library's verdict), `refused_by_client` (commands that make no packet),
 * `meta.rc_files` (files that commands name). Each may be missing.
 */
import { isUnspoken, type RcFiles, rcFilesOf, wordsOf } from './fwknop-commands.js'
import { countClientPacket, countEdgePacket, countLibraryPacket } from './fwknop-packets.js'
import { countRefusedCommand } from './fwknop-refused.js'
import { type Fields, fieldsOf, listOf, ShapeError } from './shape.js'
import { Tally } from './tally.js'

const LISTS: Readonly<Record<string, (fields: Fields, where: string, tally: Tally, files: RcFiles) => void>> = {
  vectors: countClientPacket,
  libfko_vectors: countLibraryPacket,
  edge_cases: countEdgePacket,
  refused_by_client: countRefusedCommand,
}

/**
 * Counts each vector once; a list that is not known here counts as one that differs, and so does a vector that cannot be read.
 * Throws ShapeError where the file is none of this kind, or has not one vector.
 */
export function checkFwknop(file: unknown): Tally {
  const lists = fieldsOf(file, 'file')
  const names = Object.keys(LISTS)
  const files = rcFilesOf(lists)
  const tally = new Tally()
  for (const [name, count] of Object.entries(LISTS))
    listOf(lists, name).forEach((fields, i) => {
      try {
        count(fields, `${name}[${i}]`, tally, files)
      } catch (error) {
        // The others are to be heard of, too.
        if (!(error instanceof ShapeError)) throw error
        tally.count(`${name}[${i}]`, [`not checked: ${error.message}`])
      }
    })
  if (tally.agreed + tally.differed === 0) throw new ShapeError(`not one vector in it: expected ${names.join(', ')}`)
  const unspoken = listOf(lists, 'vectors').filter(asksForMore).length
  if (unspoken > 0)
    tally.notes.push(`${unspoken} packets ask for a command or NAT: read here, but no command of postern's sends them`)
  for (const [name, list] of Object.entries(lists))
    if (Array.isArray(list) && !names.includes(name)) tally.count(name, [`not checked: expected ${names.join(', ')}`])
  return tally
}

function asksForMore(fields: Fields): boolean {
  const words = fields['cmd']
  return (
    Array.isArray(words) && words.every((word) => typeof word === 'string') && isUnspoken(wordsOf(fields, '') ?? [])
  )
}
