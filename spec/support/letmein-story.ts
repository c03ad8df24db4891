/** How stories of letmein's clients begin: a laboratory, services, and posternd with a letmeind.conf as it is. */
import type { Child } from './child.js'
import { Installation, KNOCK_PORT, REALM } from './installation.js'
import { type Lab, openLab } from './lab.js'
import { type FileChoices, LetmeinClient, letmeindFile, letmeinFile, RULESET } from './letmein-peer.js'
import { poll } from './poll.js'

/** What a story opens where it does not say; nobody waits for the end of its lease. */
export const SSH = '00000001 = port: 22 / timeout: 60'

export interface LetmeinStory extends Lab {
  readonly postern: Installation
  /** The daemon that runs. */
  daemon: Child
  /** The real client, with the letmein.conf that fits. */
  readonly letmein: LetmeinClient
}

export interface LetmeinBeginning extends FileChoices {
  /** Lines of [RESOURCES]. */
  readonly resources?: readonly string[]
  /** TCP ports that answer. */
  readonly services?: readonly number[]
  /** The administrator's own. */
  readonly ruleset?: string
  /** Further sections, of postern's own, at the end of the server's file. */
  readonly more?: string
}

export async function beginLetmein(beginning: LetmeinBeginning = {}): Promise<LetmeinStory> {
  const { resources = [SSH], services = [22], ruleset = RULESET, more = '' } = beginning
  const lab = await openLab()
  try {
    for (const port of services) await lab.server.echo(port)
    if (ruleset !== '') await lab.server.must(['nft', '-f', '-'], { input: ruleset })
    const postern = new Installation(lab)
    postern.configure(letmeindFile(resources, beginning) + more)
    await postern.trustClock()
    const daemon = await postern.start()
    await hearsTcp(lab, beginning)
    return { ...lab, postern, daemon, letmein: new LetmeinClient(lab, letmeinFile(resources, beginning)) }
  } catch (error) {
    await lab.close()
    throw error
  }
}

/** Over UDP what comes before the listener is there waits for it; a TCP connection is refused until then. */
export async function hearsTcp(lab: Lab, { port = '' }: FileChoices): Promise<void> {
  if (!port.includes('tcp')) return
  const { client, server } = lab
  await poll('the control port answers', async () => (await client.connect(server.v4, KNOCK_PORT)) === 'open')
}

/** Sections that have postern guard by itself, on a host without a firewall, with the realm of the laboratory's SPA client. */
export const GUARD = `[FIREWALL]\nmode = guard\n[LETMEIN]\nenabled = yes\n[SPA]\nrealm = ${REALM}\n`
