/** The posternd program: everything but `run`, which bin/posternd hands to the starter. */
import { clientSystem } from '../client/client-system.js'
import { posternd } from './posternd-words.js'
import { terminal } from './print.js'
import { runProgram } from './program.js'

const world = { env: process.env, printer: terminal, outside: clientSystem }
process.exitCode = await runProgram(posternd, process.argv.slice(2), world)
