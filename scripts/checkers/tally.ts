/** What holding this code against a file of vectors came to. */
export class Tally {
  agreed = 0
  differed = 0
  /** One line for each thing that is not as the file says; a vector may have several. */
  readonly differences: string[] = []
  /** What deserves a word but is no difference. */
  readonly notes: string[] = []

  /** Counts one vector: agreed where nothing is different. */
  count(where: string, differences: readonly string[]): void {
    if (differences.length === 0) this.agreed++
    else this.differed++
    for (const difference of differences) this.differences.push(`${where}: ${difference}`)
  }
}

/** Checks a parsed file of one protocol. Throws ShapeError where it is no such file, or has not one vector. */
export type Checker = (file: unknown) => Tally
