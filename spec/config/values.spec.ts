import { expect } from 'chai'
import fc from 'fast-check'
import { network, overlapping } from '../../lib/config/networks.js'
import { controlPort, formatRange, hearingPorts, portRanges } from '../../lib/config/ports.js'
import {
  boolean,
  type Form,
  id,
  integer,
  interfaceName,
  key,
  listOf,
  nftName,
  oneBit,
  oneOf,
  seconds,
} from '../../lib/config/values.js'
import { formatId } from '../../lib/wire/ids.js'

/** The value, or what was expected instead. */
function read<T>(form: Form<T>, text: string): T | string {
  const reading = form(text)
  return 'value' in reading ? reading.value : `${reading.misfit}: ${reading.expected}`
}

const KEY = '9f3c51d2a7b84e06f1c29d7b3a58e4601c7fd2b9856e43a0d1f7285b9ce63a40'

describe('values of options', () => {
  const cases: [string, Form<unknown>, [string, unknown][]][] = [
    [
      'booleans',
      boolean,
      [
        ['Yes', true],
        ['1', true],
        ['ON', true],
        ['off', false],
        ['2', '"2": yes or no'],
        ['', '"": yes or no'],
      ],
    ],
    [
      'numbers',
      integer(1, 300),
      [
        ['0x12C', 300],
        ['0022', 22],
        ['+22', 22],
        ['0', '"0": 1–300'],
        ['301', '"301": 1–300'],
        ['1.5', '"1.5": 1–300'],
        ['-1', '"-1": 1–300'],
        ['0X1', '"0X1": 1–300'],
      ],
    ],
    [
      'seconds',
      seconds(0, 2000),
      [
        ['0.25', 250],
        ['1e3', 1_000_000],
        ['0x0A', 10_000],
        ['.5', 500],
        ['5.', 5000],
        ['5s', '"5s": seconds without a unit, 0–2000'],
        ['-1', '"-1": seconds without a unit, 0–2000'],
        ['2001', '"2001": 0–2000 seconds'],
        ['inf', '"inf": seconds without a unit, 0–2000'],
        ['', '"": seconds without a unit, 0–2000'],
      ],
    ],
    [
      'the longest time',
      seconds(),
      [
        ['4294967295', 4_294_967_295_000],
        ['4294967296', '"4294967296": 0–4294967295 seconds'],
        ['1e999', '"1e999": 0–4294967295 seconds'],
      ],
    ],
    [
      'ids',
      id,
      [
        ['1a', 0x1a],
        ['00000001', 1],
        ['+1', 1],
        ['000000001', 1],
        ['FFFFFFFF', 0xffffffff],
        ['100000000', '"100000000": 1–8 hex digits'],
        ['0x1a', '"0x1a": 1–8 hex digits'],
        ['', '"": 1–8 hex digits'],
      ],
    ],
    [
      'words',
      oneOf('drop', 'reject'),
      [
        ['DROP', 'drop'],
        ['deny', '"deny": drop, reject'],
      ],
    ],
    [
      'names for nft',
      nftName,
      [
        ['LETMEIN-INPUT', 'LETMEIN-INPUT'],
        ['a b', '"a b": 1–64 of A–Z a–z 0–9 _ - .'],
        ['"x"; flush ruleset', '"\\"x\\"; flush ruleset": 1–64 of A–Z a–z 0–9 _ - .'],
      ],
    ],
    [
      'interfaces',
      listOf(interfaceName),
      [
        ['wg0, eth0.10', ['wg0', 'eth0.10']],
        ['', []],
        ['wg0,', `"": an interface's name, 1–15 of A–Z a–z 0–9 _ - . @`],
      ],
    ],
    [
      'one bit',
      oneBit,
      [
        ['0x10000', 0x10000],
        ['1', 1],
        ['0x80000000', 0x80000000],
        ['3', '"3": exactly one bit, 0x1–0x80000000, as 0x10000'],
        ['0', '"0": exactly one bit, 0x1–0x80000000, as 0x10000'],
        ['0x100000000', '"0x100000000": exactly one bit, 0x1–0x80000000, as 0x10000'],
      ],
    ],
    [
      'ports of a resource',
      portRanges,
      [
        ['22', [{ first: 22, last: 22 }]],
        [
          '8000-8010, 0x16',
          [
            { first: 22, last: 22 },
            { first: 8000, last: 8010 },
          ],
        ],
        ['2222222', '"2222222": 1–65535'],
        ['9-8', '"9-8": FIRST-LAST, the smaller one first'],
        ['1-2-3', '"1-2-3": FIRST-LAST, the smaller one first'],
        ['22,20-30', '"20-30": each port once'],
        ['', '"": 1–65535'],
        ['0', '"0": 1–65535'],
      ],
    ],
    [
      'ports to hear at',
      hearingPorts,
      [
        ['any', 'any'],
        ['62201,5800,5800', [5800, 62201]],
        ['any,5', '"any": 1–65535'],
      ],
    ],
    [
      'control ports',
      controlPort,
      [
        ['5800,62201 / udp', { numbers: [5800, 62201], protocols: ['udp'] }],
        ['any/UDP', { numbers: 'any', protocols: ['udp'] }],
        ['udp,tcp / 7', { numbers: [7], protocols: ['tcp', 'udp'] }],
        ['udp', { numbers: [5800], protocols: ['udp'] }],
        ['5800', { numbers: [5800], protocols: ['tcp'] }],
        ['any', '"any": any / udp; over TCP a number'],
        ['5800 / sctp', '"sctp": a port, tcp or udp between "/", as 5800 / udp or any / udp'],
        ['0 / udp', '"0": 1–65535'],
      ],
    ],
    [
      'networks',
      network,
      [
        ['192.0.2.0/24', '192.0.2.0/24'],
        ['2001:DB8:0::/32', '2001:db8::/32'],
        ['192.0.2.7', '192.0.2.7/32'],
        ['::/0', '::/0'],
        ['192.0.2.7/24', '"192.0.2.7/24": the network itself, 192.0.2.0/24'],
        ['192.0.2.0/33', '"192.0.2.0/33": a prefix length of 0–32'],
        ['::ffff:192.0.2.0/120', '"::ffff:192.0.2.0/120": a prefix length of 0–32'],
        ['docker0', '"docker0": a network, as 192.0.2.0/24 or 2001:db8::/32'],
      ],
    ],
  ]
  for (const [title, form, rows] of cases)
    it(title, () => {
      for (const [text, expected] of rows) expect(read(form, text), text).to.deep.equal(expected)
    })

  it('a key is 64 hex digits in any case; what is said of another shows nothing of it', () => {
    expect(Buffer.from(read(key, KEY.toUpperCase()) as Uint8Array).toString('hex')).to.equal(KEY)
    const bad = [
      KEY.slice(1),
      `${KEY}0`,
      `${KEY.slice(0, 63)}g`,
      '0'.repeat(64),
      'fF'.repeat(32),
      KEY.replaceAll(/(....)/g, '$1 '),
    ]
    for (const text of bad)
      expect(read(key, text), text)
        .to.match(/^(\d+ characters|not all|all zeros|all ones)/)
        .and.not.match(/9f3c|51d2/i)
  })

  it('ids and port ranges are what they are written as', () => {
    const anyId = fc.nat(0xffffffff)
    fc.assert(
      fc.property(anyId, (number) => {
        expect(read(id, formatId(number))).to.equal(number)
      }),
    )
    const anyRange = fc.tuple(fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 1, max: 65535 }))
    fc.assert(
      fc.property(anyRange, ([a, b]) => {
        const range = { first: Math.min(a, b), last: Math.max(a, b) }
        expect(read(portRanges, formatRange(range))).to.deep.equal([range])
      }),
    )
  })

  it('no text makes a form throw, and a value in ms is finite', () => {
    const forms: Form<unknown>[] = [
      boolean,
      integer(0, 9),
      seconds(),
      id,
      key,
      oneBit,
      nftName,
      controlPort,
      portRanges,
      hearingPorts,
      network,
    ]
    const strange = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'0123456789abx-+.,/:e ') }),
    )
    fc.assert(
      fc.property(strange, (text) => {
        for (const form of forms) expect(form(text)).to.satisfy((r: object) => 'value' in r !== 'misfit' in r)
        const time = read(seconds(), text)
        if (typeof time === 'number') expect(time).to.be.within(0, 4_294_967_295_000)
      }),
    )
  })

  it('two networks that share addresses are found', () => {
    expect(overlapping(['10.0.0.0/8', '192.0.2.0/24', '10.1.0.0/16'])).to.deep.equal(['10.0.0.0/8', '10.1.0.0/16'])
    expect(overlapping(['10.0.0.0/16', '10.1.0.0/16', '::/0'])).to.equal(undefined)
    expect(overlapping(['2001:db8::/33', '2001:db8:8000::/33'])).to.equal(undefined)
  })
})
