// mocha's own "spec" output, and `N passed, N failed` as the very last line, for people and for CI to read. With POSTERN_TALLY the
// two numbers go into that file instead, for scripts/test to add up, and what failed goes into FILE.failed, for it to say again at
// its end: a log is often kept by its last lines alone.
const { writeFileSync } = require('node:fs')
const { reporters } = require('mocha')

module.exports = class Reporter extends reporters.Spec {
  epilogue() {
    super.epilogue()
    const { passes, failures } = this.stats
    const { POSTERN_TALLY: tally } = process.env
    if (!tally) return console.log(`${passes} passed, ${failures} failed`)
    writeFileSync(tally, `${passes} ${failures}\n`)
    writeFileSync(`${tally}.failed`, this.failures.map(said).join(''))
  }
}

const said = (test) =>
  `FAILED ${test.file ?? ''}: ${test.titlePath().join(' > ')}\n${indented(test.err.stack ?? String(test.err))}\n\n`
const indented = (text) => text.replace(/^/gm, '  ')
