/** What fwknop's stanzas mean here, for `posternd check` and `posternd import fwknop`: who may open what, and never a key. */
import type { FwknopConfig } from '../../config/types.js'
import { counted } from '../../daemon/counted.js'
import { targetOf } from '../../gate/fwknop-policy.js'
import type { FwknopStanza, Prefix } from '../../gate/fwknop-stanza.js'
import { portName } from '../../wire/fwknop-types.js'
import { formatId } from '../../wire/ids.js'
import { table } from '../print.js'

/** Lines for people; none where fwknop's clients are not heard. */
export function fwknopWords(fwknop: FwknopConfig | undefined): string[] {
  if (fwknop === undefined) return []
  const { stanzas, maxAgeMs } = fwknop.settings
  const where = fwknop.ports === 'any' ? 'any UDP port' : fwknop.ports.map((port) => `UDP ${port}`).join(', ')
  return [
    `fwknop's clients are heard on ${where}; packets up to ${maxAgeMs / 1000} s old; ${counted(stanzas.length, 'stanza')}`,
    table(stanzas.map((stanza) => stanzaRow(stanza, fwknop))),
  ]
}

/** The same for programs. */
export function fwknopMeaning({ ports, settings, files }: FwknopConfig): object {
  return {
    ports,
    maxAgeSeconds: settings.maxAgeMs / 1000,
    files,
    stanzas: settings.stanzas.map((stanza) => ({
      id: formatId(stanza.user),
      title: stanza.title,
      sources: stanza.sources?.map(prefixText) ?? 'any',
      destinations: stanza.destinations?.map(prefixText) ?? 'any',
      opens: opensOf(stanza, settings.resources),
      leaseSeconds: stanza.leaseSeconds,
      maxLeaseSeconds: stanza.maxSeconds,
      mode: stanza.keys.mode,
      hmac: stanza.keys.hmac?.digest ?? null,
      ...(stanza.username === undefined ? {} : { username: stanza.username }),
      requireAddress: stanza.requireAddress,
      ...(stanza.expiresMs === undefined ? {} : { expires: new Date(stanza.expiresMs).toISOString() }),
    })),
  }
}

function stanzaRow(stanza: FwknopStanza, { settings }: FwknopConfig): string[] {
  const { title, sources, destinations, keys, leaseSeconds, maxSeconds, username, expiresMs } = stanza
  const opens = opensOf(stanza, settings.resources)
  return [
    `  ${title}`,
    [
      `from ${sources?.map(prefixText).join(', ') ?? 'anywhere'}`,
      ...(destinations === undefined ? [] : [`to ${destinations.map(prefixText).join(', ')}`]),
    ].join(' '),
    opens.length === 0 ? 'opens nothing' : `opens ${shortened(opens)}`,
    `${leaseSeconds} s, at most ${Math.max(leaseSeconds, maxSeconds)} s`,
    [
      keys.hmac === undefined ? 'NO HMAC' : `HMAC ${keys.hmac.digest}`,
      keys.mode !== 'cbc' && keys.mode,
      username !== undefined && `user ${JSON.stringify(username)}`,
      stanza.requireAddress && 'address required',
      expiresMs !== undefined && `until ${new Date(expiresMs).toISOString()}`,
    ]
      .filter(Boolean)
      .join(', '),
  ]
}

/** What the gate would grant, as `tcp/22`. */
function opensOf(stanza: FwknopStanza, targets: FwknopConfig['settings']['resources']): string[] {
  const ports = [...targets.values()].flatMap(({ opens }) => opens)
  return [...new Map(ports.map((port) => [portName(port), port])).values()]
    .filter((port) => typeof targetOf(port, stanza, targets) === 'number')
    .map(portName)
}

const SHOWN = 8

function shortened(ports: readonly string[]): string {
  return ports.length <= SHOWN
    ? ports.join(', ')
    : `${ports.slice(0, SHOWN).join(', ')} and ${ports.length - SHOWN} more`
}

function prefixText({ address, length }: Prefix): string {
  return length === 32 ? address : `${address}/${length}`
}
