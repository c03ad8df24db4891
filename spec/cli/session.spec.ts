import { expect } from 'chai'
import { type Processes, sshSession } from '../../lib/cli/daemon/session.js'

const CONNECTION = 'SSH_CONNECTION=192.0.2.7 50000 198.51.100.1 22'

/** `pid: [name, parent, start in ticks, environment]`. */
function processes(table: Record<number, readonly [string, number, number, ...string[]]>): Processes {
  return {
    stat: (pid) => {
      const row = table[pid]
      if (row === undefined) return undefined
      const rest = Array.from({ length: 17 }, () => '0').join(' ')
      return `${pid} (${row[0]}) S ${row[1]} ${rest} ${row[2]} 0 0\n`
    },
    environ: (pid) => table[pid]?.slice(3).join('\0'),
  }
}

describe('the ssh login of a command', () => {
  it('is that of the nearest sshd above it, through sudo, which hides the connection', () => {
    const found = sshSession(50, {
      ...processes({
        50: ['node', 40, 900, 'PATH=/bin'],
        40: ['sudo', 30, 890, 'PATH=/bin'],
        30: ['bash', 20, 800, 'HOME=/', CONNECTION],
        20: ['sshd', 10, 700],
        10: ['sshd', 1, 5],
      }),
    })
    expect(found).to.deep.equal({ client: '192.0.2.7', serverPort: 22, startedUptimeMs: 7000 })
  })

  it('is none in a multiplexer that outlived its login, whatever the environment says', () => {
    expect(
      sshSession(50, processes({ 50: ['bash', 40, 9, CONNECTION], 40: ['tmux: server', 1, 5, CONNECTION] })),
    ).to.equal(undefined)
  })

  it('is none on a console, and none where a process is gone', () => {
    expect(sshSession(50, processes({ 50: ['bash', 40, 9], 40: ['login', 1, 5] }))).to.equal(undefined)
    expect(sshSession(50, processes({ 50: ['bash', 40, 9] }))).to.equal(undefined)
  })

  it('is read through names with brackets and blanks, and ends in a circle', () => {
    const rows = { 50: ['a) S 1 (b', 40, 9, CONNECTION], 40: ['sshd-session', 1, 5] } as const
    expect(sshSession(50, processes({ ...rows }))).to.include({ client: '192.0.2.7' })
    expect(sshSession(50, processes({ 50: ['a', 40, 9], 40: ['b', 50, 9] }))).to.equal(undefined)
  })

  it('leaves the zone of a link-local address out', () => {
    const from = 'SSH_CONNECTION=fe80::1%eth0 50000 fe80::2%eth0 22'
    expect(sshSession(50, processes({ 50: ['sh', 40, 9, from], 40: ['sshd', 1, 5] }))?.client).to.equal('fe80::1')
  })
})
