/** What kernel.spec.ts lets run in a namespace: each does things over netlink and reports what it and `nft` then see. */
import { splitChanges } from '../../../lib/firewall/netlink/batch.js'
import { NetlinkKernel } from '../../../lib/firewall/netlink/kernel.js'
import { FdSocket } from '../../../lib/firewall/netlink/socket.js'
import { FirewallError, type SetElement, type SetRef } from '../../../lib/firewall/types.js'
import type { NetlinkLab } from '../../support/netns-program.js'

const RULESET = `table inet t {
  comment "postern 1";
  set leases { type ipv4_addr; flags timeout; timeout 30s; size 65536; }
  set leases6 { type ipv6_addr; flags timeout; timeout 30s; size 65536; }
  set services { type ipv4_addr . inet_proto . inet_service; flags timeout; timeout 30s; size 64; }
  set tags { typeof @th,64,64; flags timeout; timeout 150s; size 65536; }
  set tokens { typeof @th,128,128; flags timeout; timeout 150s; size 65536; }
  set two { type ipv4_addr; flags timeout; timeout 30s; size 2; }
  set endless { type ipv4_addr; size 8; elements = { 198.18.0.9 }; }
  chain c { type filter hook prerouting priority mangle - 1; policy drop; tcp dport { 22, 80 } accept
    ip saddr @leases accept; }
  chain d { counter; }
}`

export const LEASES: SetRef = { family: 1, table: 't', set: 'leases' }
const setNamed = (set: string): SetRef => ({ ...LEASES, set })

export interface SeenElement {
  readonly key: string
  readonly timeoutMs?: number
  readonly expiresMs?: number
  readonly comment?: string
}

function seen(element: SetElement): SeenElement {
  return { ...element, key: Buffer.from(element.key).toString('hex') }
}

function gotten(kernel: NetlinkKernel, set: SetRef, wanted: Uint8Array): SeenElement | 'none' {
  const element = kernel.get(set, wanted)
  return element === undefined ? 'none' : seen(element)
}

export function key(...bytes: number[]): Uint8Array {
  return new Uint8Array(bytes)
}

function elementsByNft(lab: NetlinkLab, set: string): readonly unknown[] {
  const { nftables } = lab.listed('set', 'inet', 't', set)
  return nftables.find(({ set }) => set !== undefined)?.set?.elem ?? []
}

/** What an attempt failed with: a code and a sentence. */
export function failure(attempt: () => unknown): string {
  try {
    attempt()
    return 'it worked'
  } catch (error) {
    return error instanceof FirewallError ? `${error.code}: ${error.message}` : String(error)
  }
}

/** Loads the ruleset with nft, before netlink has a go at it. */
export function begin(lab: NetlinkLab): NetlinkKernel {
  lab.nft(RULESET)
  return new NetlinkKernel(lab.socket)
}

export const ONE = key(198, 18, 0, 1)
const TWO = key(198, 18, 0, 2)
const THREE = key(198, 18, 0, 3)

export function replaces(lab: NetlinkLab) {
  const kernel = begin(lab)
  kernel.apply([{ kind: 'add', to: LEASES, elements: [{ key: ONE, timeoutMs: 60_000, comment: 'u=1' }] }])
  const first = elementsByNft(lab, 'leases')
  const elements = [
    { key: ONE, timeoutMs: 3_600_000, comment: 'u=2' },
    { key: TWO, timeoutMs: 90_000, expiresMs: 45_000 },
    { key: THREE },
  ]
  kernel.apply([{ kind: 'add', to: LEASES, replace: true, elements }])
  return {
    first,
    second: elementsByNft(lab, 'leases'),
    listed: kernel.list(LEASES).map(seen),
    got: [ONE, THREE, key(198, 18, 0, 4)].map((address) => gotten(kernel, LEASES, address)),
  }
}

export function removes(lab: NetlinkLab) {
  const kernel = begin(lab)
  kernel.apply([{ kind: 'add', to: LEASES, elements: [{ key: ONE }, { key: TWO }] }])
  kernel.apply([
    { kind: 'remove', from: LEASES, keys: [ONE, THREE, ONE] },
    { kind: 'remove', from: LEASES, keys: [ONE] },
    { kind: 'add', to: setNamed('leases6'), elements: [{ key: new Uint8Array(16).fill(0xfd) }] },
  ])
  const left = kernel.list(LEASES).map(seen)
  const byNft = elementsByNft(lab, 'leases')
  kernel.apply([{ kind: 'flush', set: LEASES }])
  return { left, byNft, afterFlush: kernel.list(LEASES), other: elementsByNft(lab, 'leases6') }
}

export function fills(lab: NetlinkLab) {
  const kernel = begin(lab)
  const two = setNamed('two')
  kernel.apply([{ kind: 'add', to: two, elements: [{ key: ONE }, { key: TWO }] }])
  const full = failure(() => kernel.apply([{ kind: 'add', to: two, elements: [{ key: THREE }] }]))
  kernel.apply([{ kind: 'add', to: two, replace: true, elements: [{ key: ONE, comment: 'again' }] }])
  kernel.apply([{ kind: 'remove', from: two, keys: [THREE, TWO] }])
  return { full, left: kernel.list(two).map((element) => element.comment) }
}

export function misses(lab: NetlinkLab) {
  const kernel = begin(lab)
  const noSet = setNamed('none')
  const noTable: SetRef = { ...LEASES, table: 'none' }
  const attempts = [noSet, noTable].flatMap((set) => [
    failure(() => kernel.apply([{ kind: 'add', to: set, elements: [{ key: ONE }] }])),
    failure(() => kernel.apply([{ kind: 'flush', set }])),
    failure(() => kernel.list(set)),
    failure(() => kernel.get(set, ONE)),
  ])
  const atomic = failure(() =>
    kernel.apply([
      { kind: 'add', to: LEASES, elements: [{ key: ONE }] },
      { kind: 'add', to: noSet, elements: [{ key: ONE }] },
      { kind: 'add', to: LEASES, elements: [{ key: TWO }] },
    ]),
  )
  return {
    attempts,
    atomic,
    afterwards: elementsByNft(lab, 'leases'),
    wrongLength: failure(() => kernel.apply([{ kind: 'add', to: LEASES, elements: [{ key: key(1, 2) }] }])),
    zero: failure(() => kernel.apply([{ kind: 'add', to: LEASES, elements: [{ key: ONE, timeoutMs: 0 }] }])),
    comment: failure(() => kernel.apply([{ kind: 'add', to: LEASES, elements: [{ key: ONE, comment: '"' }] }])),
    still: elementsByNft(lab, 'leases'),
  }
}

export function manyElements(lab: NetlinkLab) {
  const kernel = begin(lab)
  const tokens = setNamed('tokens')
  const elements = Array.from({ length: 50_000 }, (_, i) => {
    const token = new Uint8Array(16).fill(7)
    new DataView(token.buffer).setUint32(4, i)
    return { key: token, timeoutMs: 100_000 + i }
  })
  const add = { kind: 'add', to: tokens, elements } as const
  // One transaction each, unless an ordinary user's socket takes less at once.
  for (const part of splitChanges([add], kernel.maxBatchBytes)) kernel.apply(part)
  const listed = kernel.list(tokens)
  const timeouts = new Map(listed.map((element) => [Buffer.from(element.key).toString('hex'), element.timeoutMs ?? 0]))
  // The kernel rounds down to its ticks, of 10 ms at most.
  const isWrong = (rounded = 0, ms: number) => rounded > ms || rounded <= ms - 10
  const wrong = elements.filter((e) => isWrong(timeouts.get(Buffer.from(e.key).toString('hex')), e.timeoutMs)).length
  const byNft = new Set(elementsByNft(lab, 'tokens').map((element) => JSON.stringify(element))).size
  const remove = { kind: 'remove', from: tokens, keys: elements.map((element) => element.key) } as const
  for (const part of splitChanges([remove], kernel.maxBatchBytes)) kernel.apply(part)
  const afterRemove = kernel.list(tokens).length
  const parts = splitChanges([add, { kind: 'remove', from: tokens, keys: [elements[0]!.key] }], 200_000)
  for (const part of parts) kernel.apply(part)
  const small = new NetlinkKernel(new FdSocket(lab.socket.fd, 4096))
  return {
    listed: listed.length,
    wrong,
    byNft,
    afterRemove,
    parts: parts.length,
    afterParts: kernel.list(tokens).length,
    tooLarge: failure(() => small.apply([add])),
  }
}

export function keysOfAllKinds(lab: NetlinkLab) {
  const kernel = begin(lab)
  const six = new Uint8Array([0xfd, 0x18, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
  kernel.apply([
    { kind: 'add', to: setNamed('leases6'), elements: [{ key: six }] },
    { kind: 'add', to: setNamed('services'), elements: [{ key: key(198, 18, 0, 1, 6, 0, 0, 0, 0, 22, 0, 0) }] },
    { kind: 'add', to: setNamed('tags'), elements: [{ key: key(0, 0, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48) }] },
    { kind: 'add', to: setNamed('tokens'), elements: [{ key: new Uint8Array(16).fill(0x30) }] },
  ])
  lab.nft('add element inet t tags { 0x4142434445464748 timeout 1h }')
  const sets = ['leases6', 'services', 'tags', 'tokens', 'endless']
  return {
    byNft: elementsByNft(lab, 'services'),
    six: elementsByNft(lab, 'leases6'),
    listed: sets.map((set) =>
      kernel
        .list(setNamed(set))
        .map((element) => `${seen(element).key} ${element.expiresMs === undefined ? 'for ever' : 'ends'}`)
        .sort(),
    ),
  }
}

export async function ends(lab: NetlinkLab) {
  const kernel = begin(lab)
  const elements = [
    { key: ONE, timeoutMs: 500 },
    { key: THREE, timeoutMs: 0.01 },
    { key: TWO, timeoutMs: 60_000 },
  ]
  kernel.apply([{ kind: 'add', to: LEASES, elements }])
  const before = [ONE, TWO].filter((address) => kernel.get(LEASES, address) !== undefined).length
  const deadline = Date.now() + 5000
  while (kernel.get(LEASES, ONE) !== undefined && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const after = kernel.list(LEASES).map((element) => seen(element).key)
  kernel.apply([{ kind: 'remove', from: LEASES, keys: [ONE] }])
  return { before, after }
}

export function shapes(lab: NetlinkLab) {
  const kernel = begin(lab)
  const shape = kernel.shape(1, 't')
  const rules = lab.listed('table', 'inet', 't').nftables.flatMap(({ rule }) => (rule ? [rule.handle] : []))
  const baseChains = kernel.baseChains()
  const generation = kernel.generation()
  lab.nft('add rule inet t d accept')
  const changed = kernel.shape(1, 't')
  const generationAfter = kernel.generation()
  kernel.deleteTable(1, 't')
  kernel.deleteTable(1, 't')
  return {
    shape,
    rules,
    baseChains,
    ruleAdded: changed!.ruleHandles.length - shape!.ruleHandles.length,
    generations: generationAfter - generation,
    gone: kernel.shape(1, 't') ?? 'gone',
    left: lab.listed('ruleset').nftables.length,
  }
}

export function leftovers(lab: NetlinkLab) {
  const kernel = begin(lab)
  kernel.apply([{ kind: 'add', to: LEASES, elements: [{ key: ONE, timeoutMs: 60_000 }] }])
  // A caller that stopped in the middle of a long answer.
  let reads = 0
  const broken = new NetlinkKernel({
    write: (bytes) => lab.socket.write(bytes),
    read: () => {
      if (reads++ === 0) throw new Error('stopped')
      return lab.socket.read()
    },
  })
  const stopped = failure(() => broken.list(LEASES))
  return { stopped, got: gotten(broken, LEASES, ONE), none: gotten(broken, LEASES, TWO) }
}

export function withoutCapability(lab: NetlinkLab) {
  const kernel = new NetlinkKernel(lab.socket)
  return [
    failure(() => kernel.apply([{ kind: 'flush', set: LEASES }])),
    failure(() => kernel.list(LEASES)),
    failure(() => kernel.get(LEASES, ONE)),
    failure(() => kernel.generation()),
    failure(() => kernel.deleteTable(1, 't')),
  ]
}
