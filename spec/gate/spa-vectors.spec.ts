import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { SpaGate } from '../../lib/gate/spa.js'
import { deriveKeys } from '../../lib/wire/spa-keys.js'
import { heard } from '../support/spa.js'

interface Vector {
  key: string
  realm: string
  server_realm?: string
  time_ms: number
  user: string
  operation: number
  instant_index: number | null
  datagram: string
  refused_because: string
}

const { invalid }: { invalid: Vector[] } = JSON.parse(
  readFileSync(new URL('../vectors/spa.json', import.meta.url), 'utf8'),
)
const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))

/** The file's reasons, and the gate's words for them. */
const WORDS: Record<string, string> = {
  version: 'version',
  operation: 'operation',
  flags: 'flags',
  'instant and address together': 'flags',
  'instant, but not a plain open': 'flags',
  'zero byte': 'reserved',
  'pad not zero': 'pad',
  'address given, flag clear': 'address',
  'user differs from the tag': 'user',
  'time outside its slot': 'slot',
  'seal: bit flipped': 'seal',
  'seal: tag of another slot (associated data)': 'seal',
  'seal: one byte short': 'seal',
  'length: short': 'length',
  'length: long': 'length',
  'tag: the server has another realm': 'tag',
}

describe('the SPA gate is silent to an invalid vector for its very reason', () => {
  invalid.forEach((vector, i) => {
    it(`${i}: ${vector.refused_because}`, () => {
      const user = {
        id: Number.parseInt(vector.user, 16),
        ...deriveKeys(hex(vector.key), vector.server_realm ?? vector.realm),
      }
      const gate = new SpaGate({ users: [user], windowMs: 60_000 })
      gate.roll(vector.time_ms)
      // Two of the file's are said to have a wrong operation, but are plain instant opens, byte for byte.
      const faultless =
        vector.refused_because === 'operation' && vector.operation === 0 && vector.instant_index !== null
      const why = faultless ? 'instant' : WORDS[vector.refused_because]
      expect(gate.judge(heard(hex(vector.datagram)), vector.time_ms)).to.include({ kind: 'silence', why })
    })
  })
})
