/** Messages and keys of every kind, for the properties of fwknop's layers. */
import fc from 'fast-check'
import { DIGESTS } from '../../lib/wire/fwknop-digest.js'
import type { FwknopMessage, FwknopType } from '../../lib/wire/fwknop-text.js'
import { hasNat, hasTimeout } from '../../lib/wire/fwknop-text.js'
import type { FwknopKeys, FwknopMode } from '../../lib/wire/fwknop-types.js'

export const MODES: readonly FwknopMode[] = ['cbc', 'ecb', 'cfb', 'ofb', 'ctr', 'legacy']

export const bytes = (least: number, most = least) => fc.uint8Array({ minLength: least, maxLength: most })
const textOf = (characters: string, least: number, most: number) =>
  fc.string({ unit: fc.constantFrom(...characters), minLength: least, maxLength: most })

const port = fc.integer({ min: 1, max: 65535 })
const access = fc
  .tuple(fc.ipV4(), fc.array(fc.tuple(fc.constantFrom('tcp', 'udp'), port), { minLength: 1, maxLength: 4 }))
  .map(([address, ports]) => [address, ...ports.map((spec) => spec.join('/'))].join(','))
const command = fc.tuple(fc.ipV4(), textOf('abc ,:;|é', 1, 20)).map((halves) => halves.join(','))

export const messages: fc.Arbitrary<FwknopMessage> = fc.constantFrom<FwknopType>(0, 1, 2, 3, 4, 5, 6).chain((type) =>
  fc
    .record({
      rand: textOf('0123456789', 16, 16),
      username: textOf('abcXYZ019 .-_@$', 1, 16),
      timeSeconds: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      version: fc.constantFrom('3.0.0', '2.0.2', '9'),
      message: type === 0 ? command : access,
      nat: fc.tuple(textOf('abc.19', 0, 20), port).map((halves) => halves.join(',')),
      auth: fc.option(textOf('crypt,sé', 1, 12), { nil: undefined }),
      timeout: fc.integer({ min: 1, max: 65536 }),
      digest: fc.constantFrom(...DIGESTS),
    })
    .map(({ nat, auth, timeout, ...rest }) => ({
      ...rest,
      type,
      ...(hasNat(type) && { natAccess: nat }),
      ...(auth !== undefined && { serverAuth: auth }),
      timeoutSeconds: hasTimeout(type) ? timeout : 0,
    })),
)

export const keys: fc.Arbitrary<FwknopKeys> = fc
  .record({
    key: bytes(1, 32),
    mode: fc.constantFrom(...MODES),
    hmac: fc.option(fc.record({ key: bytes(33, 136), digest: fc.constantFrom(...DIGESTS) }), { nil: undefined }),
  })
  .map(({ hmac, ...rest }) => ({ ...rest, ...(hmac !== undefined && { hmac }) }))
