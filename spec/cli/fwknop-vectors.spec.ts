/**
 * What the real fwknop made of its command line, its .fwknoprc and its environment (spec/vectors/fwknop.json), postern makes of
 * the same in its own words: every field is the same.
 */
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { fwknopArguments } from '../../lib/cli/fwknop-arguments.js'
import { planFwknop } from '../../lib/cli/fwknop-plan.js'
import { defaultUsername } from '../../lib/cli/fwknop-user.js'
import { knockArguments } from '../../lib/cli/knock-arguments.js'
import { KNOCK_OPTIONS } from '../../lib/cli/knock-options.js'
import { parsePlain } from '../../lib/cli/plain.js'
import { clientSystem } from '../../lib/client/client-system.js'
import { performFwknop } from '../../lib/client/fwknop-perform.js'
import type { Outgoing } from '../../lib/client/send.js'
import { ConfigError } from '../../lib/config/error.js'
import { openFwknop } from '../../lib/wire/fwknop.js'
import type { FwknopDigest, FwknopKeys, FwknopMode } from '../../lib/wire/fwknop-types.js'

interface Vector {
  readonly name: string
  readonly cmd: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly key: { readonly hex: string }
  readonly hmac_key: { readonly hex: string } | null
  readonly mode: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly client_clock: number
  readonly expect_decode: 'accept' | 'reject'
}

const { vectors, refused_by_client, meta } = JSON.parse(readFileSync('spec/vectors/fwknop.json', 'utf8')) as {
  readonly vectors: readonly Vector[]
  readonly refused_by_client: readonly Pick<Vector, 'name' | 'cmd'>[]
  readonly meta: { readonly rc_files: Readonly<Record<string, string>> }
}

/** Options of fwknop's command line that are lines of ~/.fwknoprc here. */
const AS_LINES: Readonly<Record<string, string>> = {
  '-m': 'DIGEST_TYPE',
  '--digest-type': 'DIGEST_TYPE',
  '--hmac-digest-type': 'HMAC_DIGEST_TYPE',
  '-M': 'ENCRYPTION_MODE',
  '--key-base64-rijndael': 'KEY_BASE64',
  '--key-base64-hmac': 'HMAC_KEY_BASE64',
  '--key-rijndael': 'KEY_BASE64',
  '--key-hmac': 'HMAC_KEY_BASE64',
  '-G': 'KEY_FILE',
  '--get-hmac-key': 'HMAC_KEY_FILE',
  '-N': 'NAT_ACCESS',
  '--nat-port': 'NAT_PORT',
}
/** Passphrases may hold what .fwknoprc has no way to write. */
const PASSPHRASES = ['--key-rijndael', '--key-hmac']
const AS_SWITCHES: Readonly<Record<string, string>> = { '--nat-local': 'NAT_LOCAL', '--nat-rand-port': 'NAT_RAND_PORT' }
const AS_OPTIONS: Readonly<Record<string, string>> = {
  '-a': '--address=',
  '-f': '--lifetime=',
  '-U': '--spoof-user=',
  '-n': '--stanza=',
  '--time-offset-plus': '--time-offset=',
  '--time-offset-minus': '--time-offset=-',
}
const WITH_VALUE = ['-D', '-A', '-B', '--rc-file', '--server-cmd']

/** The words and the .fwknoprc that mean what a command line of fwknop's means. */
function inOurWords(cmd: readonly string[]): { words: string[]; rc: string; isCommand: boolean } {
  const options: string[] = []
  const lines: string[] = []
  const own = new Map<string, string>()
  for (let i = 1; i < cmd.length; i++) {
    const word = cmd[i]!
    if (word in AS_LINES) {
      const value = cmd[++i]!
      lines.push(`${AS_LINES[word]} ${PASSPHRASES.includes(word) ? Buffer.from(value).toString('base64') : value}`)
    } else if (word in AS_SWITCHES) lines.push(`${AS_SWITCHES[word]} Y`)
    else if (word in AS_OPTIONS) {
      const value = cmd[++i]!
      // What means nothing is not said at all.
      if (word !== '-f' || value !== '0') options.push(`${AS_OPTIONS[word]}${value}`)
    } else if (word === '-s') options.push('--address=source')
    else if (WITH_VALUE.includes(word)) own.set(word, cmd[++i]!)
    else expect(word, 'an option without a meaning').to.be.oneOf(['-v', '--no-save-args', '--no-rc-file'])
  }
  const file = own.get('--rc-file')
  const text = file === undefined ? '' : meta.rc_files[file]!
  const ports = own.get('-A')?.split(',') ?? []
  const stanza = options.find((option) => option.startsWith('--stanza='))?.slice('--stanza='.length)
  return {
    words: [...options, own.get('-D')!, ...ports],
    rc: `${text}\n[${stanza ?? 'default'}]\n${lines.join('\n')}\n`,
    isCommand: own.has('--server-cmd'),
  }
}

/** The packet that postern sends, at the time that it is given. Throws what the program would say. */
async function packetOf(cmd: readonly string[], env: Vector['env'], clock: number): Promise<Uint8Array> {
  const { words, rc } = inOurWords(cmd)
  const args = parsePlain(words, KNOCK_OPTIONS)
  if (args === undefined) throw new Error(`not plain: ${words.join(' ')}`)
  const asked = knockArguments(args, true)
  const files = {
    read: (name: string) => meta.rc_files[name]!,
    readKeys: (name: string) => ({ text: meta.rc_files[name]!, warnings: [] }),
    list: () => [],
  }
  const username = defaultUsername(env, () => undefined)
  const place = { name: asked.host!, address: asked.host! }
  const source = { file: 'rc', text: rc, files, username, place }
  const { errand } = planFwknop(asked, fwknopArguments(args, asked, 'open'), source)
  const sent: Outgoing[] = []
  await performFwknop(errand, {
    ...clientSystem,
    nowMs: () => clock * 1000 + 999,
    send: async (all) => {
      sent.push(...all)
      return all.map((outgoing) => ({ outgoing }))
    },
  })
  expect(sent.map(({ to, port }) => [to.address, port])).to.deep.equal([['127.0.0.1', 62_201]])
  return sent[0]!.bytes
}

function keysOf({ key, hmac_key, mode, fields }: Vector): FwknopKeys {
  const common = { key: Buffer.from(key.hex, 'hex'), mode: mode.toLowerCase() as FwknopMode }
  if (hmac_key === null) return common
  const digest = (fields['hmac_type_name'] as string).toLowerCase() as FwknopDigest
  return { ...common, hmac: { key: Buffer.from(hmac_key.hex, 'hex'), digest } }
}

const isNat = ({ cmd }: Pick<Vector, 'cmd'>) => cmd.some((word) => /^(-N|--nat-.*)$/.test(word))
const isCommand = ({ cmd }: Pick<Vector, 'cmd'>) => inOurWords(cmd).isCommand
const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('did not reject'),
    (error) => error as Error,
  )

describe('what fwknop’s command lines mean, in postern’s words', () => {
  const accepted = vectors.filter((one) => one.expect_decode === 'accept' && !isNat(one) && !isCommand(one))

  it('are nearly all of them', () => {
    expect(accepted.length).to.be.greaterThan(65)
    expect(accepted.length + vectors.filter((one) => isNat(one) || isCommand(one)).length + 2).to.equal(vectors.length)
  })

  for (const vector of accepted)
    it(vector.name, async () => {
      const message = openFwknop(await packetOf(vector.cmd, vector.env, vector.client_clock), keysOf(vector))
      const { fields } = vector
      expect(message).to.deep.include({
        username: fields['user'],
        version: fields['version'],
        type: fields['message_type'],
        message: fields['message'],
        timeoutSeconds: fields['client_timeout'],
        digest: (fields['digest_type_name'] as string).toLowerCase(),
      })
      expect(message)
        .to.have.property('rand')
        .which.matches(/^\d{16}$/)
    })

  it('a time-out that no server reads is refused', async () => {
    const { cmd, env } = vectors.find(({ name }) => name === 'timeout-65537')!
    expect((await rejection(packetOf(cmd, env, 1))).message).to.include('65537 s: fwknop takes at most 65536 s')
  })

  it('a login name that no server reads is cut to one that they do', async () => {
    const vector = vectors.find(({ name }) => name === 'logname-70')!
    const message = openFwknop(await packetOf(vector.cmd, vector.env, vector.client_clock), keysOf(vector))
    expect(message).to.have.property('username', 'w'.repeat(48))
  })

  for (const vector of vectors.filter((one) => isNat(one)))
    it(`${vector.name}: NAT is refused, not left out`, async () => {
      const error = await rejection(packetOf(vector.cmd, vector.env, vector.client_clock))
      expect(error).to.be.an.instanceOf(ConfigError)
      expect(error.message).to.match(/NAT_\w+: postern asks for no NAT/)
    })
})

describe('what fwknop’s client refuses', () => {
  /** Refused there for want of -A or a terminal, which postern does not ask for; a command has no word. */
  const other = ['no-access-none0', 'stdin-key-refused-without-tty']

  for (const { name, cmd } of refused_by_client.filter(({ name }) => !other.includes(name)))
    it(`${name} is refused here, too`, async () => {
      const error = await rejection(packetOf(cmd, { LOGNAME: 'alice' }, 1_795_353_023))
      expect(error.name).to.be.oneOf(['ConfigError', 'UsageError'])
      expect(error.message).not.to.include('PPPP')
      for (const word of cmd.filter((one) => one.length > 40)) expect(error.message).not.to.include(word)
    })

  it('no port, and no key, is refused in words that say what to do', async () => {
    const [none, noKey] = other.map((name) => refused_by_client.find((one) => one.name === name)!.cmd)
    expect((await rejection(packetOf(none!, {}, 1))).message).to.include('PORT is missing: name one, like tcp/22')
    expect((await rejection(packetOf(noKey!, {}, 1))).message).to.include('no key: add KEY_BASE64 and HMAC_KEY_BASE64')
  })
})
