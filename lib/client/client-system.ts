/**
 * All that a knock by any protocol meets outside. Apart from perform.ts, so that a program which knocks by postern's own
 * datagram alone does not load SHA-3.
 */
import type { LetmeinOutside } from './letmein.js'
import { dialTcp } from './letmein-tcp.js'
import { dialUdp } from './letmein-udp.js'
import { type Outside, system } from './perform.js'

export type ClientOutside = Outside & LetmeinOutside

/** The real one. */
export const clientSystem: ClientOutside = { ...system, dial: { udp: dialUdp, tcp: dialTcp } }
