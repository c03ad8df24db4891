/**
 * Holds letmein's wire, gate, client and configuration against a file of vectors. Specification of the protocol:
 * docs/PROTOCOL.md, "The letmein exchange". The file: `exchanges` (whole conversations), `malformed` (datagrams of all kinds
 * and the server's answers), `client_side` (answers of all kinds and what the client does) and `configurations`.
 */
import { differencesOfClientSide } from './letmein-client.js'
import { countConfiguration } from './letmein-configurations.js'
import { differencesOfExchange } from './letmein-exchanges.js'
import { countMalformed } from './letmein-malformed.js'
import { type Fields, fieldsOf, listOf, ShapeError, wrong } from './shape.js'
import { Tally } from './tally.js'

const LISTS: Readonly<Record<string, (fields: Fields, where: string, tally: Tally) => void>> = {
  exchanges: (fields, where, tally) => tally.count(where, differencesOfExchange(fields, where)),
  malformed: countMalformed,
  client_side: (fields, where, tally) => tally.count(where, differencesOfClientSide(fields, where)),
  configurations: countConfiguration,
}

/** Counts each vector once; throws ShapeError where the file is none of this kind, or has not one vector. */
export function checkLetmein(file: unknown): Tally {
  const lists = fieldsOf(file, 'file')
  const names = Object.keys(LISTS)
  for (const name of Object.keys(lists))
    if (Array.isArray(lists[name]) && !names.includes(name)) throw wrong('file', name, `the lists ${names.join(', ')}`)
  const tally = new Tally()
  for (const [name, count] of Object.entries(LISTS))
    listOf(lists, name).forEach((fields, i) => {
      count(fields, `${name}[${i}]`, tally)
    })
  if (tally.agreed + tally.differed === 0) throw new ShapeError(`not one vector in it: expected ${names.join(', ')}`)
  return tally
}
