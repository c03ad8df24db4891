/** The real fwknopd (Debian's fwknop-server), in its UDP-server mode, the quicker of its two. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLab } from '../../spec/support/lab.js'
import type { Peer } from './peer.js'

const FIRST_PORT = 3001
const KNOCK_PORT = 62201
const KEYS = { rijndael: 'a key for the laboratory', hmac: 'another one' }

/** It opens any port that is asked for; all are dropped by the host's own firewall until then. */
export async function startFwknop(ports: number): Promise<Peer> {
  const lab = await openLab()
  try {
    const { server, client } = lab
    const run = join(lab.folder, 'fwknop')
    mkdirSync(run)
    const access = `SOURCE ANY\nKEY ${KEYS.rijndael}\nHMAC_KEY ${KEYS.hmac}\nFW_ACCESS_TIMEOUT 60\n`
    writeFileSync(join(run, 'access.conf'), access, { mode: 0o600 })
    writeFileSync(join(run, 'fwknopd.conf'), 'ENABLE_UDP_SERVER Y;\n', { mode: 0o600 })
    for (const rule of ['-P INPUT DROP', '-A INPUT -i lo -j ACCEPT', '-A INPUT -m state --state ESTABLISHED -j ACCEPT'])
      await server.must(['iptables', ...rule.split(' ')])
    await server.must(['iptables', '-A', 'INPUT', '-p', 'udp', '--dport', String(KNOCK_PORT), '-j', 'ACCEPT'])
    for (let n = 0; n < ports; n++) await server.echo(FIRST_PORT + n)
    const files = ['-c', join(run, 'fwknopd.conf'), '-a', join(run, 'access.conf'), '-r', run]
    await server.spawn(['fwknopd', '-f', '-v', ...files]).waitLine(/Kicking off UDP server/)
    const port = (n: number) => FIRST_PORT + n
    const options = ['--no-rc-file', '--no-save-args', '-a', client.v4, '-D', server.v4]
    const keys = ['--key-rijndael', KEYS.rijndael, '--key-hmac', KEYS.hmac]
    return {
      name: 'fwknop',
      lab,
      port,
      knock: (n) => ['env', `HOME=${run}`, 'fwknop', ...options, ...keys, '-A', `tcp/${port(n)}`],
    }
  } catch (error) {
    await lab.close()
    throw error
  }
}
