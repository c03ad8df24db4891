import { expect } from 'chai'
import { judgeRequest } from '../../lib/daemon/policy.js'
import type { ListenerResource } from '../../lib/daemon/settings.js'
import type { Request } from '../../lib/gate/verdict.js'

const request: Request = {
  protocol: 'spa',
  operation: 'open',
  user: 1,
  resource: 2,
  address: '192.0.2.7',
  addressSigned: false,
  lifetimeSeconds: 0,
  replay: { user: 1, id: new Uint8Array(24), timeMs: 0, expiresMs: 1 },
}
const resource: ListenerResource = { id: 2, requireAddress: 'optional', maxLifetimeSeconds: 600, isControlPort: false }

describe('policy', () => {
  const cases: [string, Partial<Request>, ListenerResource | undefined, string | number][] = [
    ['an unknown resource is refused', {}, undefined, 'resource'],
    ['every user may where none is named', {}, resource, 0],
    ['a user who is named may', {}, { ...resource, users: [3, 1] }, 0],
    ['a user who is not named may not', {}, { ...resource, users: [3] }, 'not-allowed'],
    ['nobody may where the list is empty', {}, { ...resource, users: [] }, 'not-allowed'],
    [
      'an observed address does not do where a signed one is required',
      {},
      { ...resource, requireAddress: 'yes' },
      'address-required',
    ],
    ['a signed address does', { addressSigned: true }, { ...resource, requireAddress: 'yes' }, 0],
    [
      'a signed address is refused where none is taken',
      { addressSigned: true },
      { ...resource, requireAddress: 'no' },
      'address-refused',
    ],
    ['a lifetime within bounds is kept', { lifetimeSeconds: 599 }, resource, 599],
    ['a longer one is clipped', { lifetimeSeconds: 4294967295 }, resource, 600],
  ]
  for (const [name, change, given, expected] of cases) {
    it(name, () => {
      const judgement = judgeRequest({ ...request, ...change }, given, undefined, 0)
      expect(judgement.kind === 'allowed' ? judgement.lifetimeSeconds : judgement.why).to.equal(expected)
    })
  }

  it('holds a user to his time and networks, but lets him revoke', () => {
    const person = { untilMs: 1000, networks: ['198.51.100.0/24'] }
    const why = (operation: Request['operation'], address: string, wallMs: number) => {
      const judgement = judgeRequest({ ...request, operation, address }, resource, person, wallMs)
      return judgement.kind === 'refused' ? judgement.why : judgement.kind
    }
    expect(why('open', '198.51.100.9', 999)).to.equal('allowed')
    expect(why('open', '198.51.100.9', 1000)).to.equal('user-expired')
    expect(why('extend', '192.0.2.7', 999)).to.equal('user-network')
    expect(why('open', '2001:db8::1', 999)).to.equal('user-network')
    expect(why('revoke', '192.0.2.7', 2000)).to.equal('allowed')
  })
})
