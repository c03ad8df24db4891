/** A program that is nothing but the relay: `relay-program.ts PORT` between its standard input and output and 127.0.0.1. */
import type { Socket } from 'node:net'
import { dialPort } from '../../lib/client/connect.js'
import { connectionBuckets, relay, standardEnds } from '../../lib/client/relay.js'

const buckets = connectionBuckets()
const dial = await dialPort(Number(process.argv[2]), { isPaused: true, ...(buckets && { onread: buckets.onread }) })
const connection = await new Promise<Socket>((stands, failed) => {
  dial({ address: '127.0.0.1', family: 4 }, { stands, failed: (code) => failed(new Error(code)) })
})
const { kind } = await relay(connection, await standardEnds(), buckets)
process.stderr.write(`${kind}\n`)
process.exit()
