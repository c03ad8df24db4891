/** `posternd doctor --listen`: somebody knocks, and this side says what is wrong with the knock. */
import { dirname, join } from 'node:path'
import type { ServerConfig } from '../../../config/types.js'
import { userWords } from '../../../daemon/called.js'
import type { FwknopStanza } from '../../../gate/fwknop-stanza.js'
import { formatId, type UserId } from '../../../wire/ids.js'
import { keyCheck } from '../../../wire/key-check.js'
import { deriveKey } from '../../../wire/spa-keys.js'
import type { World } from '../../command.js'
import type { Report } from '../../finding.js'
import { type Caught, type Ear, placeWords, tellingMore } from './caught.js'
import { fwknopEar } from './ear-fwknop.js'
import { letmeinEar } from './ear-letmein.js'
import { type Knocker, spaEar } from './ear-spa.js'
import { overhear } from './overhear.js'

/** bin/posternd runs dist/programs/posternd.js, beside lib. */
const SCRIPT = join(dirname(process.argv[1] ?? ''), '../../lib/daemon/overhear.pl')

export const NOTHING_CAME = 'nothing-arrived'

/** It was his with the wrong key; a client that knocks again does so within a second or two. */
const NEAR_MS = 2_000

/** Whose knock is listened for: a user's, a stanza's of access.conf, or anybody's. */
export type Whose =
  | { readonly kind: 'user'; readonly user: UserId }
  | { readonly kind: 'stanza'; readonly stanza: FwknopStanza }
  | { readonly kind: 'anybody' }

/** Until a knock of his comes, or the seconds are over. Throws FirewallError where it may not hear. */
export async function listenFor(
  whose: Whose,
  config: ServerConfig,
  seconds: number,
  { printer }: Pick<World, 'printer'>,
): Promise<Report> {
  const ears = earsFor(whose, config)
  const told = new Set<string>()
  const beganMs = Date.now()
  let heard: Caught | undefined
  await overhear(
    { script: SCRIPT, seconds },
    (datagram) => {
      const report = heard?.next?.judge(datagram)
      if (report !== undefined) {
        heard = { kind: 'own', report }
        return 'enough'
      }
      if (datagram.way === 'out') return 'more'
      for (const ear of ears) {
        const caught = ear(datagram)
        if (caught !== undefined) heard = tellingMore(heard, caught)
      }
      if (heard?.kind === 'near') return { forMs: NEAR_MS }
      if (heard?.kind === 'own') return heard.next ?? 'enough'
      // Anybody can send such a one, so it ends nothing; and of a flood of them a line for each kind is told.
      const [finding] = heard?.report.findings ?? []
      if (finding !== undefined && !told.has(finding.code)) {
        told.add(finding.code)
        printer.error(`posternd: heard: ${finding.sentence}; listening on (Ctrl-C ends it)`)
      }
      return 'more'
    },
    () => printer.error(`posternd: listening for ${seconds} s: let ${calledOf(whose, config)} knock now`),
  )
  const listenedSeconds = Math.min(seconds, Math.ceil((Date.now() - beganMs) / 1000))
  return heard?.next?.end() ?? heard?.report ?? nothingCame(whose, config, listenedSeconds)
}

function earsFor(whose: Whose, config: ServerConfig): Ear[] {
  const { spa, fwknop, users } = config
  if (whose.kind === 'stanza') return [fwknopEar(fwknop, whose.stanza)]
  const user = whose.kind === 'user' ? whose.user : undefined
  const knockers = [...users.keys()]
    .filter((one) => user === undefined || one === user)
    .map((one) => knocker(one, config))
  const { windowMs, ports } = spa
  return [
    ...(spa.enabled && knockers.length > 0 ? [spaEar({ knockers, windowMs, ports })] : []),
    letmeinEar(config, user),
    // A stanza of fwknop's is no user's of [KEYS]; still a packet of its form may be what his machine sends.
    fwknopEar(fwknop),
  ]
}

function knocker(user: UserId, { users, oldKeys, people, spa }: ServerConfig): Knocker {
  const key = users.get(user)!
  const nowMs = Date.now()
  const older = (oldKeys.get(user) ?? []).filter(({ untilMs }) => untilMs > nowMs).map((old) => old.key)
  return {
    who: userWords(user, people.get(user)),
    name: people.get(user)?.name ?? formatId(user),
    sealKeys: [key, ...older].map((one) => deriveKey(one, spa.realm, 'seal')),
    keyCheck: keyCheck(key, spa.realm),
  }
}

function calledOf(whose: Whose, { people }: ServerConfig): string {
  if (whose.kind === 'stanza') return `the client of ${whose.stanza.title}`
  return whose.kind === 'user' ? (people.get(whose.user)?.name ?? formatId(whose.user)) : 'them'
}

function nothingCame(whose: Whose, { spa, letmein, fwknop }: ServerConfig, seconds: number): Report {
  const places = [
    ...(whose.kind !== 'stanza' && spa.enabled ? [placeWords(spa.ports)] : []),
    ...(whose.kind !== 'stanza' && letmein.enabled ? [placeWords(letmein.ports.udp)] : []),
    ...(whose.kind !== 'user' && fwknop !== undefined ? [placeWords(fwknop.ports)] : []),
  ]
  const tcp = letmein.enabled && letmein.ports.tcp.length > 0 ? '; letmein’s over TCP are not overheard' : ''
  return {
    findings: [
      {
        code: NOTHING_CAME,
        sentence: `no knock came in at ${[...new Set(places)].join(' or ')} within ${seconds} s: it was not sent, goes to another address or port, or a network drops it${tcp}`,
        mend: 'postern doctor HOST   # on the user’s machine, while this listens',
      },
    ],
    notes: [],
  }
}
