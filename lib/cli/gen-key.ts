/** `postern gen-key`: a fresh key as the line that both configuration files take. */
import { formatId } from '../wire/ids.js'
import { KEY_BYTES } from '../wire/spa-keys.js'
import type { Command } from './command.js'
import { EXIT } from './exit.js'
import { idOf } from './knock-arguments.js'
import { isGiven } from './options.js'
import { UsageError } from './usage.js'

export const genKey: Command = {
  name: 'gen-key',
  positionals: '',
  describe: 'make a key: prints USER = KEY for the [KEYS] of both sides',
  options: [
    { name: 'user', alias: 'u', value: 'ID', describe: 'whose, 1–8 hex digits', preset: '00000000' },
    { name: 'json', describe: 'print one JSON object' },
  ],
  examples: [
    ['postern gen-key --user 1', 'a line for user 00000001'],
    ['(umask 077; postern gen-key -u 1 >laptop.key)', 'into a file that nobody else can read'],
  ],
  run: async (args, { printer, outside }) => {
    if (args.positionals.length > 0) throw new UsageError('gen-key: expected no argument but --user ID')
    const user = formatId(idOf(args, 'user') ?? 0)
    const key = Buffer.from(outside.random(KEY_BYTES)).toString('hex').toUpperCase()
    printer.line(isGiven(args, 'json') ? JSON.stringify({ user, key }) : `${user} = ${key}`)
    return EXIT.ok
  },
}
