/**
 * What a configuration was read out of, as a few digits: whoever reads the same texts later knows whether they are others by now. A poor
 * passphrase in them could be guessed by it, so it is said to nobody but root.
 */
import { createHash, type Hash } from 'node:crypto'
import type { ReferredFiles } from './referred-files.js'

export class Contents {
  readonly #hash: Hash = createHash('sha256')

  /** The text of one file, or what else was read. */
  add(text: string): void {
    this.#hash.update(`${text.length}\n`).update(text)
  }

  /** The same files; what is read through them counts. */
  through(files: ReferredFiles): ReferredFiles {
    return {
      read: (file) => this.#noted(files.read(file)),
      readKeys: (file) => {
        const read = files.readKeys(file)
        this.add(read.text)
        return read
      },
      list: (folder) => {
        const names = files.list(folder)
        this.add(names.join('\n'))
        return names
      },
    }
  }

  /** 16 hex digits; nothing can be added after it. */
  digest(): string {
    return this.#hash.digest('hex').slice(0, 16)
  }

  #noted(text: string): string {
    this.add(text)
    return text
  }
}
