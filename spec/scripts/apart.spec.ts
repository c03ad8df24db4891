import { spawnSync } from 'node:child_process'
import { expect } from 'chai'

/** In a user namespace with one uid; subuids are promised to it, so unshare's --map-auto goes as far as it can. */
function asOrdinaryUser(script: string) {
  const promised = 'echo 1000:100000:65536 >$subids; mount --bind $subids /etc/subuid; mount --bind $subids /etc/subgid'
  const own = ['--user', '--map-user=1000', '--map-group=1000', '--keep-caps', '--mount']
  const words = [...own, 'sh', '-euc', `subids=$(mktemp); ${promised}; rm $subids; ${script}`]
  return spawnSync('unshare', words, { encoding: 'utf8', timeout: 20_000 })
}

describe('scripts/apart, called by an ordinary user', () => {
  it('runs a command in a network of its own', () => {
    const { status, stdout } = asOrdinaryUser('scripts/apart ip -o link show')
    expect(status).to.equal(0)
    expect(stdout.trim().split('\n'))
      .to.have.lengthOf(1)
      .and.match(/^1: lo:/)
  })

  it('says where there are no namespaces, and leaves nothing behind that holds its output open', () => {
    const { error, status, stderr } = asOrdinaryUser('echo 0 >/proc/sys/user/max_user_namespaces; scripts/apart true')
    expect(error).to.equal(undefined)
    expect(status).to.equal(69)
    expect(stderr).to.match(/^scripts\/apart: no namespaces here \(.+\): run as root, or allow user namespaces/)
  })
})
