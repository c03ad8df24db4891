import { expect } from 'chai'
import { openerInNamespace as run } from '../support/netns-child.js'

describe('the opener', () => {
  it('becomes the program, which finds open sockets in its environment', async () => {
    const script =
      'for fd in $POSTERN_NETLINK_FD $POSTERN_EVENTS_FD $POSTERN_LOG_FD; do readlink /proc/self/fd/$fd; done'
    const { status, stdout } = await run('--events', '--log', 'sh', '-c', script)
    expect(status).to.equal(0)
    expect(stdout).to.match(/^(socket:\[[0-9]+\]\n){3}$/)
  })

  it('opens no more than it is asked for, and says how much the socket takes', async () => {
    const { stdout } = await run('sh', '-c', 'echo "$POSTERN_EVENTS_FD,$POSTERN_LOG_FD,$POSTERN_NETLINK_SEND_BYTES"')
    expect(stdout).to.match(/^,,[0-9]{6,}\n$/)
  })

  it('says in one sentence what is wrong', async () => {
    expect(await run()).to.include({ status: 2, stderr: 'posternd: opener: expected a program\n' })
    expect(await run('/nowhere/program')).to.include({
      status: 127,
      stderr: 'posternd: /nowhere/program: No such file or directory\n',
    })
  })
})
