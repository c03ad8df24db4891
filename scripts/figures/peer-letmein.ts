/** The real letmeind and letmeinfwd over UDP, in the ruleset that their authors recommend. */
import { openLab } from '../../spec/support/lab.js'
import { LetmeinClient, LetmeinServer, letmeindFile, letmeinFile, RULESET } from '../../spec/support/letmein-peer.js'
import { resourceLines } from './crowd.js'
import type { Peer } from './peer.js'

const FIRST_PORT = 3001

export async function startLetmein(ports: number): Promise<Peer> {
  const lab = await openLab()
  try {
    const port = (n: number) => FIRST_PORT + n
    const resources = resourceLines(ports, FIRST_PORT, 'timeout: 60')
    await LetmeinServer.start(lab, { config: letmeindFile(resources), ruleset: RULESET })
    for (let n = 0; n < ports; n++) await lab.server.echo(port(n))
    const { configFile } = new LetmeinClient(lab, letmeinFile(resources))
    const knock = (n: number) => ['letmein', '--config', configFile, 'knock', lab.server.v4, String(port(n))]
    return { name: 'letmein', lab, port, knock }
  } catch (error) {
    await lab.close()
    throw error
  }
}
