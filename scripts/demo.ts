/** The demo's story. scripts/demo runs it, apart from the machine's network. */
import { HAS_ACCOUNTS } from '../spec/support/accounts.js'
import { clientFile, DEFAULT_RUN_FOLDER, Installation, KNOCK_PORT, serverFile } from '../spec/support/installation.js'
import { openLab } from '../spec/support/lab.js'
import { poll } from '../spec/support/poll.js'
import { datagramsOf } from '../spec/support/story.js'
import { startSshd } from './demo-sshd.js'
import { Actor, insist, say } from './stage.js'

const LEASE_SECONDS = 6
const RESOURCE = `00000001 = port: 22 / name: ssh / timeout: ${LEASE_SECONDS}`

const lab = await openLab({ at: '/run/demo' })
try {
  await tell()
} catch (error) {
  console.error(`\ndemo: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
} finally {
  await lab.close()
}

async function tell(): Promise<void> {
  const postern = new Installation(lab, { runFolder: DEFAULT_RUN_FOLDER })
  const { PATH } = process.env
  const env = { PATH: `${postern.folder}/bin:${PATH}` }
  const server = new Actor('server#', lab.server, env)
  const client = new Actor('client$', lab.client, { ...env, POSTERN_CONFIG: postern.clientConfig })
  const stranger = new Actor('stranger$', lab.stranger, env)
  const address = lab.server.v4
  const ssh = (to = address) => `ssh -F /run/demo/ssh_config ${to} echo you are in`
  const status = `posternd status ${postern.at.join(' ')}`
  await startSshd(lab)
  postern.configure(serverFile([RESOURCE]))
  postern.configureClient(clientFile([RESOURCE]))
  const isOpen = async (to = address) => (await lab.client.connect(to, 22)) === 'open'

  console.log(`Three hosts in network namespaces; this machine's own network is not touched.

    client ${lab.client.v4} ──── server ${address}, ${lab.server.v6}: sshd on port 22 ──── stranger ${lab.stranger.v4}`)

  say('The server guards port 22. Both sides share one key; whoever opens it keeps it open for a few seconds.')
  await server.must(`grep -A9 RESOURCES ${postern.serverConfig}`)
  await postern.trustClock()
  server.show(`posternd run ${postern.runArguments.join(' ')} &`)
  const daemon = await postern.start()
  insist(!(await server.must('ss -Hlun')), 'no UDP port is open on the server')
  console.log('      (nothing: no UDP port is bound, there is none to find)')

  say('1. The port is shut. To a client without a lease the server looks as if there were no sshd.')
  await client.cannot(ssh())

  say('2. One knock opens it: a single datagram, which is not answered.')
  const capture = await lab.server.capture()
  await client.must(`postern knock ${address} 22 --wait`)
  await client.must(ssh())
  await server.must(status)

  say(
    '3. It is open for the client alone. The stranger has recorded the knock; the same bytes from his address do nothing.',
  )
  await stranger.cannot(ssh())
  const [recorded, ...more] = datagramsOf(await capture.packets())
  capture.stop()
  insist(recorded !== undefined && more.length === 0, 'the knock was one datagram')
  const since = daemon.lines.length
  stranger.show(`(sends the recorded ${recorded!.length} bytes to ${address} port ${KNOCK_PORT})`)
  await lab.stranger.send(address, KNOCK_PORT, [recorded!])
  const refusal = await daemon.waitLine(/refused a knock from .*/, 5_000, since)
  server.show('(log)', refusal[0])
  await stranger.cannot(ssh())

  say(`4. The lease ends after ${LEASE_SECONDS} s, and the port is shut.`)
  await poll('the lease ends', async () => !(await isOpen()), { within: (LEASE_SECONDS + 2) * 1000, every: 100 })
  await client.cannot(ssh())

  say('5. Over IPv6 likewise.')
  await client.must(`postern knock ${lab.server.v6} 22 --wait`)
  await client.must(ssh(lab.server.v6))

  say(
    '6. The daemon is killed while the lease lives: starter, monitor and listener at once. The kernel keeps the time.',
  )
  const opened = performance.now()
  await client.must(`postern knock ${address} 22 --wait`)
  const pids = [daemon.pid, ...daemon.descendants()]
  await server.must(`ps -o pid,uid,args ${pids.map((pid) => `-p ${pid}`).join(' ')} | cut -c 1-110`)
  if (!HAS_ACCOUNTS) {
    console.log('      (one uid is all that this user has: monitor and listener differ by their capabilities alone)')
  }
  await server.must(`kill -9 ${pids.join(' ')}`)
  await daemon.exited
  await client.must(ssh())
  await stranger.cannot(ssh())
  await poll('the lease ends', async () => !(await isOpen()), { within: (LEASE_SECONDS + 2) * 1000, every: 50 })
  console.log(`      (${((performance.now() - opened) / 1000).toFixed(1)} s after the knock)`)
  await client.cannot(ssh())

  say('That was all: every program has ended, and the namespaces are gone with what was in them.')
}
