import { execFileSync } from 'node:child_process'
import { expect } from 'chai'
import { forgoCluster } from '../../lib/client/forgo-cluster.js'
import { ROOT } from '../cli/program.js'

describe('forgoing the cluster', () => {
  it('leaves nothing in the environment', () => {
    const env: NodeJS.ProcessEnv = { HOME: '/' }
    forgoCluster(env)
    expect(env).to.deep.equal({ HOME: '/' })
  })

  it('leaves alone what says that this is a worker indeed', () => {
    const env: NodeJS.ProcessEnv = { NODE_UNIQUE_ID: '3' }
    forgoCluster(env)
    expect(env).to.deep.equal({ NODE_UNIQUE_ID: '3' })
  })

  it('leaves sending from a port of its own as it was', () => {
    const program = `
      import { createSocket } from 'node:dgram'
      import { forgoCluster } from './lib/client/forgo-cluster.ts'
      import { send } from './lib/client/send.ts'
      const free = createSocket('udp4')
      const heard = createSocket('udp4')
      await new Promise((done) => free.bind({ port: 0, exclusive: true }, done))
      const from = free.address().port
      await new Promise((done) => free.close(done))
      await new Promise((done) => heard.bind({ port: 0, address: '127.0.0.1', exclusive: true }, done))
      forgoCluster()
      const came = new Promise((done) => heard.once('message', (_, { port }) => done(port)))
      const to = { address: '127.0.0.1', family: 4 }
      const [fate] = await send([{ bytes: new Uint8Array(1), to, port: heard.address().port, from }])
      console.log(fate.error === undefined && (await came) === from ? 'the same' : 'another')
      heard.close()`
    const argv = ['--import', 'tsx', '--input-type=module', '-e', program]
    const said = execFileSync(process.execPath, argv, { cwd: ROOT, encoding: 'utf8' })
    expect(said.trim()).to.equal('the same')
  })
})
