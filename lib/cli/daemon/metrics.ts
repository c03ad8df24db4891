/** `posternd metrics`: what the daemon counts, as Prometheus text; a timer puts it where the node exporter reads it. */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { quote } from '../../config/error.js'
import { metricsText } from '../../daemon/metrics.js'
import type { Command } from '../command.js'
import { EXIT } from '../exit.js'
import { type Option, textOf } from '../options.js'
import { UsageError } from '../usage.js'
import { version } from '../version.js'
import { controlPathOf, RUN_DIR_OPTION } from './options.js'
import { daemonStatus } from './status.js'

const OUTPUT: Option = {
  name: 'output',
  alias: 'o',
  value: 'FILE',
  describe: 'write it there, whole or not at all',
  preset: 'standard output',
}

export const metrics: Command = {
  name: 'metrics',
  positionals: '',
  describe: "what the daemon counts, as text for the Prometheus node exporter's textfile collector",
  options: [OUTPUT, RUN_DIR_OPTION],
  examples: [
    ['posternd metrics', 'what there is; postern_up 0 where no daemon runs'],
    ['posternd metrics --output /var/lib/prometheus/node-exporter/postern.prom', 'as postern-metrics.timer does it'],
  ],
  run: async (args, { printer }) => {
    if (args.positionals.length > 0)
      throw new UsageError(`"${args.positionals[0]}": expected no argument; --output FILE names a file`)
    const output = textOf(args, 'output')
    if (output === '') throw new UsageError('--output "": expected a file')
    const text = metricsText(await daemonStatus(controlPathOf(args)), version)
    if (output === undefined) printer.line(text.trimEnd())
    else replace(output, text)
    return EXIT.ok
  },
}

/** The collector must never read half a file, and takes only names that end in .prom. */
function replace(file: string, text: string): void {
  const draft = `${file}.${process.pid}.new`
  try {
    writeFileSync(draft, text, { mode: 0o644, flag: 'wx' })
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    const { code = String(error) } = error as NodeJS.ErrnoException
    throw new Error(
      `--output ${quote(file)}: cannot be written (${code}): expected a file in a folder that is there and that you may write`,
    )
  }
}
