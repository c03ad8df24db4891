import { expect } from 'chai'
import { decode, encode, encodeSigned, type Message as Letmein, ZERO_AUTH } from '../../lib/wire/letmein.js'
import { MemoryDisk } from '../replay/memory-disk.js'
import { CLIENT, KEY, listening, NOW, packetOf, RESOURCE, settings, spa, USER } from './listening.js'

function knock(salt: number, more: Partial<Letmein> = {}, key = KEY): Uint8Array {
  return encodeSigned(
    { operation: 'KNOCK', user: USER, resource: RESOURCE, salt: new Uint8Array(8).fill(salt), ...more },
    key,
    ZERO_AUTH,
  )
}

function responseTo(challenge: Uint8Array, key = KEY): Uint8Array {
  const { user, resource, auth } = decode(challenge) as Letmein
  return encodeSigned({ operation: 'RESPONSE', user, resource, salt: new Uint8Array(8) }, key, auth)
}

describe('the listener', () => {
  it('asks the monitor for what a good knock asks, once', async () => {
    const { frames, hear, lines } = await listening()
    hear(spa(1))
    hear(spa(1), '198.18.0.9')
    expect(frames).to.deep.equal([
      {
        kind: 'request',
        protocol: 'spa',
        operation: 'open',
        sequence: 0,
        user: USER,
        resource: RESOURCE,
        address: CLIENT,
        lifetimeSeconds: 0,
        heardMs: NOW,
        more: 0,
      },
    ])
    expect(lines.join()).to.contain(
      'refused a knock from 198.18.0.9 (user 00000001, open 00000022): it was seen before',
    )
  })

  it('says that it has begun once its journal has, and once alone', async () => {
    const disk = new MemoryDisk()
    const { begun, listener, frames } = await listening({}, { disk })
    expect(begun).to.deep.equal([{ kind: 'pong', sequence: 0, untrustedBelowMs: 0 }])
    expect([...disk.files.keys()]).to.deep.equal(['journal-0'])
    listener.message({ kind: 'settings', settings })
    await new Promise(setImmediate)
    expect(frames).to.deep.equal([])
  })

  it('says nothing of strangers but a number', async () => {
    const { frames, hear, lines, listener, answers } = await listening()
    for (let i = 0; i < 10; i++) hear(new Uint8Array(100).fill(i))
    hear(knock(1, {}, new Uint8Array(32).fill(9)))
    listener.message({ kind: 'ping', sequence: 3 })
    expect(lines).to.deep.equal([])
    expect(answers).to.deep.equal([])
    expect(frames.map(({ kind }) => kind)).to.deep.equal(['counter', 'counter', 'pong'])
  })

  it('refuses by policy what the resource does not allow, and says whose knock it was and from where', async () => {
    const resources = [
      { id: RESOURCE, requireAddress: 'no' as const, maxLifetimeSeconds: 600, isControlPort: false, users: [USER] },
    ]
    const { frames, hear, lines } = await listening({ resources })
    hear(spa(1, { address: '192.0.2.7' }))
    hear(spa(2, { resource: 99 }))
    expect(frames).to.deep.equal([])
    expect(lines[0]).to.contain('from 198.18.0.2').and.to.contain('takes no address')
    expect(lines[1]).to.contain('there is no such resource')
  })

  it('passes on whom the kernel opened for by itself, and judges no instant datagram', async () => {
    const { listener, frames, hear } = await listening()
    const bytes = spa(1, { instant: true })
    hear(bytes)
    listener.heard({ group: 5801, prefix: 'postern instant 00000022', payload: packetOf(bytes) })
    expect(frames).to.deep.equal([{ kind: 'record', user: USER, resource: RESOURCE, address: CLIENT }])
  })

  it('takes a letmein exchange to its end, and answers when the monitor has', async () => {
    const { listener, frames, answers, hear } = await listening()
    hear(knock(1))
    expect(answers).to.have.length(1)
    hear(responseTo(answers[0]!.bytes))
    expect(frames).to.have.length(1)
    const [frame] = frames
    expect(frame).to.include({ kind: 'request', protocol: 'letmein', operation: 'open', address: CLIENT })
    expect(answers).to.have.length(1)
    listener.message({ kind: 'result', sequence: (frame as { sequence: number }).sequence, isDone: true })
    expect(answers).to.have.length(2)
    expect(decode(answers[1]!.bytes)).to.include({ operation: 'COMEIN', user: USER, resource: RESOURCE })
    expect(answers[1]).to.include({ to: `${CLIENT} 40000`, isLast: true })
    listener.message({ kind: 'result', sequence: (frame as { sequence: number }).sequence, isDone: true })
    expect(answers).to.have.length(2)
  })

  it('answers no recorded KNOCK and no RESPONSE a second time, from anywhere', async () => {
    const { frames, answers, hear } = await listening()
    hear(knock(1))
    const response = responseTo(answers[0]!.bytes)
    hear(response)
    hear(response)
    hear(response, '198.18.0.9')
    hear(knock(1))
    hear(knock(1), '198.18.0.9', 50_000)
    expect(answers).to.have.length(1)
    expect(frames).to.have.length(1)
  })

  it('says GOAWAY where the firewall could not, and where policy does not allow', async () => {
    const resources = [{ id: RESOURCE, requireAddress: 'yes' as const, maxLifetimeSeconds: 600, isControlPort: false }]
    const { listener, frames, answers, hear } = await listening()
    hear(knock(1))
    hear(responseTo(answers[0]!.bytes))
    listener.message({ kind: 'result', sequence: (frames[0] as { sequence: number }).sequence, isDone: false })
    expect(decode(answers[1]!.bytes)).to.include({ operation: 'GOAWAY' })
    const strict = await listening({ resources })
    strict.hear(knock(1))
    strict.hear(responseTo(strict.answers[0]!.bytes))
    expect(strict.frames).to.deep.equal([])
    expect(decode(strict.answers[1]!.bytes)).to.include({ operation: 'GOAWAY' })
  })

  it('takes no letmein where that is off, nor what is not for it', async () => {
    const { letmein: _, ...withoutLetmein } = settings
    const { frames, answers, listener, hear } = await listening()
    listener.message({ kind: 'settings', settings: withoutLetmein })
    await Promise.resolve()
    await new Promise(setImmediate)
    hear(knock(1))
    hear(encode({ operation: 'KNOCK', user: 5, resource: 5, salt: new Uint8Array(8), auth: ZERO_AUTH }))
    expect(answers).to.deep.equal([])
    expect(frames).to.deep.equal([])
  })
})
