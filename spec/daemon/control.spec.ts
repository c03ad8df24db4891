import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { askControl, serveControl } from '../../lib/daemon/control.js'

describe('what a monitor answers to root', () => {
  it('steers no terminal, whatever it says', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'control-'))
    const path = join(folder, 'control.sock')
    const said = { message: 'opened\u001b]0;owned\u0007 \u009b31m', lines: ['one\ntwo\r'], for: 7 }
    const server = serveControl(path, () => ({ ok: true, ...said }))
    await once(server, 'listening')
    const answer = await askControl(path, { command: 'status' })
    expect(answer).to.deep.equal({ ok: true, message: 'opened ]0;owned   31m', lines: ['one\ntwo '], for: 7 })
    server.close()
    rmSync(folder, { recursive: true })
  })
})
