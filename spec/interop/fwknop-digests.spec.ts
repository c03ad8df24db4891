import { accessFile } from '../support/fwknop-peer.js'
import { beginFwknop, type FwknopStory } from '../support/fwknop-story.js'
import { poll } from '../support/poll.js'

const DIGESTS = ['md5', 'sha1', 'sha256', 'sha384', 'sha512', 'sha3_256', 'sha3_512'] as const
const MODES = ['CBC', 'ECB', 'CFB', 'OFB', 'CTR'] as const

describe('the fwknop client with', () => {
  let story: FwknopStory
  /** A stanza for each; which one let it in is told by the port. */
  const combinations = DIGESTS.flatMap((digest) => MODES.map((mode) => ({ digest, mode })))
  const port = (index: number) => 1001 + index
  before(async () => {
    const stanzas = combinations.map(({ digest, mode }, i) =>
      accessFile(`tcp/${port(i)}`, { more: [`HMAC_DIGEST_TYPE ${digest}`, `ENCRYPTION_MODE ${mode}`] }),
    )
    const legacy = ['SOURCE ANY', 'KEY an old key', 'ENCRYPTION_MODE legacy', 'OPEN_PORTS tcp/900', '']
    const bare = ['SOURCE ANY', 'KEY a bare key', 'OPEN_PORTS tcp/901', '']
    story = await beginFwknop({
      access: [...stanzas, legacy.join('\n'), bare.join('\n')].join('\n'),
      fwknop: ['without-hmac = accept'],
      services: [],
    })
  })
  after(() => story.close())

  const opens = async (port: number, ask: Omit<Parameters<FwknopStory['knock']>[1], 'ports'>) => {
    await story.knock(story.client, { ports: `tcp/${port}`, ...ask })
    const resource = `F000${port.toString(16).toUpperCase().padStart(4, '0')}`
    await poll(`a lease of ${resource}`, async () =>
      (await story.postern.status()).leases.some((lease) => lease.resource === resource),
    )
  }

  for (const [i, { digest, mode }] of combinations.entries())
    it(`an HMAC of ${digest} and mode ${mode} opens`, () =>
      opens(port(i), { more: ['--hmac-digest-type', digest, '-M', mode, '-m', DIGESTS[i % 5]!] }))

  it('mode legacy and no HMAC opens, where that is allowed', () =>
    opens(900, { hmac: false, more: ['--key-rijndael', 'an old key', '-M', 'legacy'] }))

  it('no HMAC opens, where that is allowed', () => opens(901, { hmac: false, more: ['--key-rijndael', 'a bare key'] }))
})
