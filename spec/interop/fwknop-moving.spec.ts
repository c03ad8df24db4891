/**
 * "Moving from fwknop" as OPERATIONS tells it: a host whose own rules drop by default, fwknopd with the files that are root's
 * alone, and what `posternd import fwknop --write` says to do next, done word by word.
 *
 *     client: fwknop ── server: iptables that drop; fwknopd, then posternd ── stranger
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { HAS_ACCOUNTS } from '../support/accounts.js'
import { accessFile, dropByDefault, FwknopServer, fwknop } from '../support/fwknop-peer.js'
import { nextSecond } from '../support/fwknop-story.js'
import { Installation } from '../support/installation.js'
import { type Lab, openLab } from '../support/lab.js'
import { poll } from '../support/poll.js'
import { becomesOpen } from '../support/story.js'

describe('moving from fwknop', () => {
  let lab: Lab
  let fwknopd: FwknopServer
  let postern: Installation
  let folder: string
  before(async () => {
    lab = await openLab()
    await lab.server.echo(22)
    await dropByDefault(lab.server, 'pcap')
    fwknopd = await FwknopServer.start(lab, { mode: 'pcap', access: accessFile('tcp/22', { timeoutSeconds: 20 }) })
    folder = dirname(fwknopd.files.access)
    postern = new Installation(lab)
  })
  after(() => lab.close())

  const knock = () => fwknop(lab, lab.client, { ports: 'tcp/22', server: lab.server.v4 })

  it('works by the commands that the import says, and opens what fwknopd opened', async () => {
    const { client, server, stranger } = lab
    await knock()
    await becomesOpen(client, server.v4)

    // As %include_folder's are: root's alone.
    const users = join(folder, 'users.d')
    mkdirSync(users, { mode: 0o700 })
    writeFileSync(join(users, 'bob.conf'), accessFile('tcp/2222').replace('HMAC_KEY', 'HMAC_KEY bob and'), {
      mode: 0o600,
    })
    writeFileSync(fwknopd.files.access, `${accessFile('tcp/22', { timeoutSeconds: 20 })}%include_folder ${users}\n`)
    const { access, config } = fwknopd.files
    const files = ['--access-file', access, '--config-file', config, '--output', postern.serverConfig]
    const { status, stdout, stderr } = await postern.posternd('import', 'fwknop', ...files, '--write')
    expect(status, stderr).to.equal(0)
    const next = stdout.split('Next:\n')[1]!.trimEnd().split('\n')
    const commands = next.map((line) => line.replace(/ {4}#.*/, '').trim())
    expect(commands.map((line) => line.split(' ').slice(0, 2).join(' '))).to.deep.equal([
      'chgrp postern',
      'chgrp postern',
      'posternd check',
      'systemctl disable',
      'posternd trust-clock',
      'systemctl enable',
      'iptables -I',
    ])
    const accept = commands.at(-1)!

    if (HAS_ACCOUNTS) {
      const before = await postern.posternd('check', '--config', postern.serverConfig)
      for (const path of [folder, users]) expect(before.stderr).to.include(`${path}: user postern may not look into it`)
      for (const path of [access, join(users, 'bob.conf'), config])
        expect(before.stderr).to.include(`${path}: user postern may not read it`)
      for (const command of commands.slice(0, 2)) await server.must(['sh', '-c', command])
    }
    const check = await postern.posternd('check', '--config', postern.serverConfig)
    expect(check).to.deep.include({ status: 0, stderr: '' })
    await fwknopd.stop()
    await postern.trustClock()
    await postern.start()
    await nextSecond()

    // The host's own rules drop what posternd lets through.
    await knock()
    await poll('a lease', async () => (await postern.status()).leases.length > 0)
    expect(await client.connect(server.v4, 22)).to.not.equal('open')
    await server.must(['sh', '-c', accept])
    await knock()
    await becomesOpen(client, server.v4)
    expect(await stranger.connect(server.v4, 22)).to.not.equal('open')
  })
})
