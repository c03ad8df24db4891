/**
 * What systemd is told (sd_notify(3)): lines written to a datagram socket that the starter connected. Nothing where the
 * service manager is another.
 */
import { writeSync } from 'node:fs'

export interface Notify {
  ready(): void
  reloading(monoMs: number): void
  stopping(): void
  alive(): void
  status(text: string): void
}

/** `fd`: the connected datagram socket, or undefined where there is none. A message that cannot be sent is not an error. */
export function createNotify(fd: number | undefined): Notify {
  function say(text: string): void {
    if (fd === undefined) return
    try {
      writeSync(fd, text)
    } catch {
      // The manager is gone or its socket is full: it will find out by its watchdog.
    }
  }
  return {
    ready: () => say('READY=1'),
    reloading: (monoMs) => say(`RELOADING=1\nMONOTONIC_USEC=${Math.floor(monoMs * 1000)}`),
    stopping: () => say('STOPPING=1'),
    alive: () => say('WATCHDOG=1'),
    status: (text) => say(`STATUS=${text}`),
  }
}
