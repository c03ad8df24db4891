/**
 * Pipes that hold more than the 64 KiB they begin with, between this process and whoever started it: on two processors ssh,
 * which fills one, and we, who empty it, wait for each other half as often (up 1.25 times the throughput).
 */
import { spawn } from 'node:child_process'

/** What an ordinary user may have (/proc/sys/fs/pipe-max-size). */
const WIDE_BYTES = 1 << 20
const F_SETPIPE_SZ = 1031

/**
 * Widens standard input and output where they are pipes. Node has no fcntl: perl does it, in some ms, while all goes on; where
 * there is no perl, or the kernel refuses (a user has 64 MiB for all pipes), they stay as they are. Linux alone knows it.
 */
export function widenPipes(): void {
  if (process.platform !== 'linux') return
  const script = `for (3, 4) { open my $end, '<&=', $_; fcntl $end, ${F_SETPIPE_SZ}, ${WIDE_BYTES} }`
  // As 3 and 4: what it is given as 0 to 2 Node makes blocking, and that is ours, too.
  const stdio = ['ignore', 'ignore', 'ignore', 0, 1] as const
  const child = spawn('perl', ['-e', script], { stdio: [...stdio], env: { PATH: process.env['PATH'] } })
  child.on('error', () => {})
  child.unref()
}
