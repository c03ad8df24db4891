/** The postern program as one file without Node (scripts/client-binary): both its ways in one, the slow one loaded when it is wanted. */
import { main } from './postern.js'

void main(process.argv.slice(2), () => import('./words.js'))
