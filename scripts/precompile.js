/**
 * Makes the code cache of the client's quick way: node scripts/precompile.js SCRIPT CACHE. V8 keeps what it has compiled by
 * the end of two knocks, one by each protocol, which this gives at a port of this machine's loopback. Only the same Node on
 * the same kind of machine takes such a file (bin/postern), and V8 itself refuses what does not fit.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Script } from 'node:vm'

const [filename, cache] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'postern-precompile-'))
const config = join(folder, 'postern.conf')
const text = [
  '[GENERAL]',
  'port = 9/udp',
  '[SPA]',
  'realm = precompile',
  '[CLIENT]',
  'default-user = 1',
  '[KEYS]',
  `1 = ${'5A'.repeat(32)}`,
  '[RESOURCES]',
  '1 = port: 22 / instant: yes',
]
writeFileSync(config, text.join('\n'), { mode: 0o600 })

/** A letmein server that lets everybody in: CHALLENGE to a KNOCK, COMEIN to a RESPONSE. */
const server = createSocket('udp4').bind(0, '127.0.0.1')
await once(server, 'listening')
server.on('message', (bytes, { port, address }) => {
  if (bytes.length !== 56) return
  bytes.writeUInt32BE(bytes.readUInt32BE(4) === 0 ? 1 : 3, 4)
  server.send(bytes, port, address)
})

const script = new Script(readFileSync(filename, 'utf8'), { filename })
const program = { exports: {} }
script.runInThisContext()(program, createRequire(import.meta.url))
const { exit } = process
try {
  // The program ends its process, which is this one.
  process.exit = () => {}
  for (const protocol of ['spa', 'letmein']) {
    const words = ['knock', '--protocol', protocol, '--config', config, '-P', `${server.address().port}`]
    await program.exports.main([...words, '127.0.0.1', '22'])
  }
  writeFileSync(cache, script.createCachedData())
} finally {
  process.exit = exit
  server.close()
  rmSync(folder, { recursive: true })
}
