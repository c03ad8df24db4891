import { expect } from 'chai'
import { unitForbids } from '../../lib/daemon/unit-forbids.js'

const failed = (code: string) => Object.assign(new Error(code), { code })

it('a socket that the unit forbids is told with the file that allows it', () => {
  for (const code of ['EAFNOSUPPORT', 'EPERM'])
    expect(unitForbids(failed(code), true)).to.include('conf/systemd/letmein.conf goes into postern.service.d')
})

it('not where another program has the port, nor without systemd', () => {
  expect(unitForbids(failed('EADDRINUSE'), true)).to.equal('')
  expect(unitForbids(failed('EPERM'), false)).to.equal('')
})
