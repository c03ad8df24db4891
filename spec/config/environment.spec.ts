import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { readEnvironment } from '../../lib/config/environment.js'
import { ConfigError } from '../../lib/config/error.js'
import { thisProcess } from '../../lib/config/files.js'

describe('the environment', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-env-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })
  const reader = thisProcess('client')
  function file(text: string): string {
    const path = join(folder, 'cron.env')
    writeFileSync(path, text)
    return path
  }

  async function refusal(act: Promise<unknown>): Promise<string> {
    const error = await act.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).to.be.instanceOf(ConfigError)
    return (error as Error).message.replaceAll(`${folder}/`, '')
  }

  it('sets host, user, key file and configuration', async () => {
    const environment = {
      POSTERN_HOST: 'h',
      POSTERN_USER: 'beef',
      POSTERN_CONFIG: '/c',
      POSTERN_KEY_FILE: '/k',
      OTHER: 'x',
    }
    expect(await readEnvironment(environment, reader)).to.deep.equal({
      host: 'h',
      user: 0xbeef,
      config: '/c',
      keyFile: '/k',
    })
    expect(await readEnvironment({ POSTERN_HOST: '' }, reader)).to.deep.equal({})
  })

  it('reads a file only where one is named, and what is set already comes first', async () => {
    const path = file('# cron\nexport POSTERN_HOST="from file" # the server\nPOSTERN_USER=1\nPATH=/nowhere\n')
    const before = { ...process.env }
    expect(await readEnvironment({ POSTERN_USER: '2' }, reader, path)).to.deep.equal({ host: 'from file', user: 2 })
    expect(await readEnvironment({ POSTERN_ENV_FILE: path }, reader)).to.deep.equal({ host: 'from file', user: 1 })
    expect(await readEnvironment({}, reader)).to.deep.equal({})
    expect(process.env).to.deep.equal(before)
  })

  it('names the line of what it does not know, and shows no value of it', async () => {
    const path = file('POSTERN_HOST=h\nPOSTERN_KEYFILE=secret\nPOSTERN_USER=alice\n')
    expect(await refusal(readEnvironment({}, reader, path))).to.equal(
      'cron.env:2: POSTERN_KEYFILE: expected one of POSTERN_HOST, POSTERN_USER, POSTERN_CONFIG, POSTERN_KEY_FILE; did you mean "POSTERN_KEY_FILE"?\n' +
        'cron.env:3: POSTERN_USER "alice": expected 1–8 hex digits',
    )
    expect(await refusal(readEnvironment({ POSTERN_USER: '0x1' }, reader))).to.equal(
      'environment: POSTERN_USER "0x1": expected 1–8 hex digits',
    )
  })

  it('takes no file that others can write, nor one that is not there', async () => {
    const path = file('POSTERN_HOST=h\n')
    chmodSync(path, 0o666)
    expect(await refusal(readEnvironment({}, reader, path))).to.match(/^cron.env: mode 0666, writable by everybody/)
    rmSync(path)
    expect(await refusal(readEnvironment({}, reader, path))).to.equal('cron.env: no such file')
  })

  it('does not load the parser where no file is named', () => {
    const from = (path: string) => JSON.stringify(pathToFileURL(path).href)
    const program = `
      import { createRequire } from 'node:module'
      const { readEnvironment } = await import(${from('lib/config/environment.ts')})
      const loaded = () => Object.keys(createRequire(${from('lib/x.js')}).cache).some((path) => path.includes('dotenv'))
      await readEnvironment({}, { role: 'client', uid: ${reader.uid}, groups: [] })
      const before = loaded()
      await readEnvironment({}, { role: 'client', uid: ${reader.uid}, groups: [] }, ${JSON.stringify(file('POSTERN_HOST=h\n'))})
      console.log(before, loaded())`
    const said = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      encoding: 'utf8',
    })
    expect(said.trim()).to.equal('false true')
  })
})
