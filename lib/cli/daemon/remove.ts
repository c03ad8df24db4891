/** `posternd remove`: a user's keys and all that is his go. His id stays his. */
import { withoutUser } from '../../config/change-users.js'
import { formatId } from '../../wire/ids.js'
import type { Command } from '../command.js'
import { EXIT } from '../exit.js'
import { changeConfig, reloadDaemon, serverFileOf } from './change-config.js'
import { keyHolder, oneUser } from './enroll.js'
import { nameOf } from './enroll-line.js'
import { CONFIG_OPTION, RUN_DIR_OPTION } from './options.js'

export const remove: Command = {
  name: 'remove',
  positionals: 'USER',
  describe: 'take USER out: his keys, his rights, his leases; connections that he has go on. His id is not given again',
  options: [CONFIG_OPTION, RUN_DIR_OPTION],
  examples: [['posternd remove alice', 'her next knock opens nothing, and her leases end']],
  run: async (args, { printer, env, outside }) => {
    const word = oneUser('remove', args)
    const path = serverFileOf(args, env)
    let who = ''
    let onlyHis: readonly string[] = []
    const config = changeConfig(path, (text, before) => {
      const user = keyHolder(word, before)
      who = nameOf(user, before)
      const name = before.people.get(user)?.name
      const removal = withoutUser(text, user, { atMs: outside.nowMs(), ...(name !== undefined && { name }) })
      onlyHis = removal.onlyHis.map(
        (name) => `resource ${name}: its users: named ${formatId(user)} alone, so nobody can open it`,
      )
      return removal.text
    })
    printer.line(`${who} is out of ${path}; ${await reloadDaemon(args, path)}`)
    for (const sentence of onlyHis) printer.error(`warning: ${sentence}; name others there, or take the line out`)
    if (config.users.size === 0) printer.error('warning: nobody is left who could knock: posternd enroll USER')
    return EXIT.ok
  },
}
