/** postern's client in front of the real fwknopd, with a .fwknoprc as fwknop has it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../cli/program.js'
import { clientOf } from './client.js'
import { dropByDefault, type FwknopMode, FwknopServer } from './fwknop-peer.js'
import { type Lab, openLab } from './lab.js'
import type { Outcome } from './namespace.js'

/** One laboratory with its fwknopd, and `postern` at the client. */
export class Place {
  readonly lab: Lab
  readonly server: FwknopServer

  private constructor(lab: Lab, server: FwknopServer) {
    this.lab = lab
    this.server = server
  }

  static async open(
    mode: FwknopMode,
    access: string,
    ports: readonly number[],
    more: readonly string[] = [],
  ): Promise<Place> {
    const lab = await openLab()
    for (const port of ports) await lab.server.echo(port)
    await dropByDefault(lab.server, mode)
    return new Place(lab, await FwknopServer.start(lab, { mode, access, more }))
  }

  get address(): string {
    return this.lab.server.v4
  }

  /** Writes the client's ~/.fwknoprc. */
  rc(text: string): void {
    writeFileSync(join(this.lab.folder, '.fwknoprc'), text, { mode: 0o600 })
  }

  postern(line: string): Promise<Outcome> {
    const words = ['knock', '--protocol', 'fwknop', ...line.split(' ')]
    const env = { HOME: this.lab.folder, LOGNAME: 'alice' }
    return this.lab.client.run([clientOf(ROOT), ...words], { env })
  }

  get logged(): number {
    return this.server.daemon.lines.length
  }

  /** A line of fwknopd's log, written since there were so many. */
  log(pattern: RegExp, since: number): Promise<RegExpExecArray> {
    return this.server.daemon.waitLine(pattern, 30_000, since)
  }
}
