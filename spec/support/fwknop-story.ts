/** How stories of fwknop's clients begin: a laboratory, services, and posternd with an access.conf as it is. */
import { chmodSync, chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HAS_ACCOUNTS, MONITOR_ID } from './accounts.js'
import type { Child } from './child.js'
import { type FwknopAsk, fwknop } from './fwknop-peer.js'
import { clientFile, Installation, serverFile } from './installation.js'
import { type Lab, openLab } from './lab.js'
import { CHAIN, RULESET } from './letmein-peer.js'
import type { Namespace } from './namespace.js'
import { poll } from './poll.js'

export interface FwknopStory extends Lab {
  readonly postern: Installation
  /** The daemon that runs. */
  daemon: Child
  /** The real client knocks, and has to have sent what it was to send. */
  knock(at: Namespace, ask: Omit<FwknopAsk, 'server'> & { readonly server?: string }): Promise<void>
  /** Writes access.conf, as an administrator who reloads afterwards does. */
  setAccess(text: string): void
  /** How often this was counted, once it was so often at least. */
  counted(what: string, times?: number): Promise<number>
}

export interface FwknopBeginning {
  readonly access: string
  /** Chain mode: in the administrator's chains, which drop. */
  readonly chain?: boolean
  /** Lines of [RESOURCES]. */
  readonly resources?: readonly string[]
  /** Further lines of [FWKNOP]. */
  readonly fwknop?: readonly string[]
  /** Further sections of the server's file. */
  readonly more?: string
  /** TCP ports that answer. */
  readonly services?: readonly number[]
}

const CHAIN_MODE = `[FIREWALL]\nmode = chain\n[NFTABLES]\nfamily = inet\ntable = filter\nchain-input = ${CHAIN}\n`

export async function beginFwknop(beginning: FwknopBeginning): Promise<FwknopStory> {
  const { access, chain = false, resources = [], fwknop: lines = [], more = '', services = [22] } = beginning
  const lab = await openLab()
  try {
    for (const port of services) await lab.server.echo(port)
    if (chain) await lab.server.must(['nft', '-f', '-'], { input: RULESET })
    const postern = new Installation(lab)
    const accessFile = join(lab.folder, 'access.conf')
    const setAccess = (text: string) => {
      writeFileSync(accessFile, text)
      chmodSync(accessFile, HAS_ACCOUNTS ? 0o640 : 0o600)
      if (HAS_ACCOUNTS) chownSync(accessFile, 0, MONITOR_ID)
    }
    setAccess(access)
    const section = ['[FWKNOP]', `access-file = ${accessFile}`, ...lines].join('\n')
    postern.configure(serverFile(resources, { more: `${section}\n${chain ? CHAIN_MODE : ''}${more}` }))
    postern.configureClient(clientFile(resources))
    await postern.trustClock()
    const daemon = await postern.start()
    await nextSecond()
    const knock: FwknopStory['knock'] = async (at, ask) => {
      const { status, stdout, stderr } = await fwknop(lab, at, { server: lab.server.v4, ...ask })
      if (status !== 0) throw new Error(`fwknop: exit ${status}: ${stderr}${stdout}`)
    }
    const counted: FwknopStory['counted'] = (what, times = 1) =>
      poll(
        `${what} is counted ${times} times`,
        async () => {
          // The listener says what it counted every four seconds.
          const count = (await postern.status()).counters[what] ?? 0
          return count >= times ? count : undefined
        },
        { every: 200 },
      )
    return { ...lab, postern, daemon, knock, setAccess, counted }
  } catch (error) {
    await lab.close()
    throw error
  }
}

/** fwknop's times are whole seconds, and what was made before a server began to hear is refused: the second of its start is over. */
export async function nextSecond(): Promise<void> {
  const second = () => Math.floor(Date.now() / 1000)
  const began = second()
  await poll('the next second', () => second() > began)
}
