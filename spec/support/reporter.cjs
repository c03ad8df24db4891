// mocha's own "spec" output, and `N passed, N failed` as the very last line, for people and for CI to read. With POSTERN_TALLY the
// two numbers go into that file instead, for scripts/test to add up.
const { writeFileSync } = require('node:fs')
const { reporters } = require('mocha')

module.exports = class Reporter extends reporters.Spec {
  epilogue() {
    super.epilogue()
    const { passes, failures } = this.stats
    const { POSTERN_TALLY: tally } = process.env
    if (tally) writeFileSync(tally, `${passes} ${failures}\n`)
    else console.log(`${passes} passed, ${failures} failed`)
  }
}
