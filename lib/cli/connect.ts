/**
 * `postern connect`: knocks, connects, and stands between ssh and the server, or hands the connection to ssh. Its standard
 * output carries the stream and nothing else.
 */
import { connect as connectTo, dialPort } from '../client/connect.js'
import { canHandOver, handOver } from '../client/hand-over.js'
import { codeOf } from '../client/letmein-line.js'
import type { Tried } from '../client/race.js'
import { connectionBuckets, relay, standardEnds } from '../client/relay.js'
import type { Command, World } from './command.js'
import { connectArguments } from './connect-arguments.js'
import { EXIT, type ExitCode } from './exit.js'
import { readyKnock } from './knock.js'
import { CONNECT_OPTIONS } from './knock-options.js'
import { readSource } from './knock-source.js'
import { type Arguments, isGiven } from './options.js'
import { UsageError } from './usage.js'

export const connect: Command = {
  name: 'connect',
  positionals: 'HOST PORT',
  describe: 'knock and connect: for the ProxyCommand of ssh',
  options: CONNECT_OPTIONS,
  examples: [
    ["ssh -o ProxyCommand='postern connect %h %p' gate.example.org", 'knock and log in'],
    ['postern ssh-config gate.example.org --install', 'from now on `ssh gate.example.org` knocks by itself'],
    ['postern connect --wait 30 gate.example.org 22', 'try for half a minute'],
  ],
  run,
}

async function run(args: Arguments, world: World): Promise<ExitCode> {
  const { env, outside, printer } = world
  const isHandedOver = isGiven(args, 'fdpass')
  if (isHandedOver && !canHandOver())
    throw new UsageError(
      '--fdpass: expected to be started by ssh, with ProxyUseFdpass yes and ProxyCommand env NODE_CHANNEL_FD=1 postern connect --fdpass %h %p',
    )
  const source = await readSource(args, env)
  const asked = connectArguments(args, source.host !== undefined || isGiven(args, 'stanza'))
  const knock = await readyKnock({ args, asked, operation: 'open', source, world })
  const port = knock.port!
  const buckets = isHandedOver ? undefined : connectionBuckets()
  const isPaused = isHandedOver || buckets !== undefined
  const dial = await dialPort(port, { isPaused, ...(buckets && { onread: buckets.onread }) })
  const outcome = await connectTo({ dial }, knock.go, outside)
  if (outcome.kind === 'shut') {
    const { warnings, alarms, failure } = outcome.account
    for (const warning of [...warnings, ...alarms]) printer.error(`postern: warning: ${warning}`)
    printer.error(`postern: ${failureOf(failure, outcome.tried)}`)
    return EXIT.failed
  }
  if (isHandedOver) {
    await handOver(outcome.socket)
    return EXIT.ok
  }
  const end = await relay(outcome.socket, await standardEnds(), buckets)
  if (end.kind === 'lost')
    printer.error(`postern: the connection to ${knock.host} port ${port} broke (${codeOf(end.error)})`)
  return end.kind === 'lost' ? EXIT.failed : EXIT.ok
}

/** The knock's own account of what failed, and what TCP said. */
function failureOf(failure: string, tried: readonly Tried[]): string {
  const answers = tried.map(({ to, code }) => `${to.address}: ${code === undefined ? 'no answer' : wordOf(code)}`)
  return answers.length === 0 ? failure : `${failure} (TCP: ${answers.join(', ')})`
}

function wordOf(code: string): string {
  return code === 'ECONNREFUSED' ? 'refused' : code
}
