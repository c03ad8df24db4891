import { expect } from 'chai'
import { wishedPorts } from '../../lib/cli/daemon/init/wishes.js'
import { overview } from '../../lib/cli/overview.js'
import { posternd } from '../../lib/cli/posternd-words.js'
import { allCommands } from '../../lib/cli/program.js'
import { postern } from '../../lib/cli/words.js'

for (const program of [postern, posternd])
  describe(`the help of ${program.name}`, () => {
    const commands = allCommands(program)
    const lines = overview({ ...program, commands }).split('\n')

    it('is one screen, and no line of it is broken', () => {
      expect(lines.length).to.be.at.most(40)
      for (const line of lines) expect(line.length, line).to.be.at.most(line.includes(' # ') ? 120 : 80)
    })

    it('has each command once', () => {
      for (const { name } of commands)
        expect(
          lines.filter((line) => line.startsWith(`  ${program.name} ${name} `) && !line.includes('#')),
        ).to.have.length(1)
    })

    it('shows at its end a command that nobody has put in its place, and names none that is not there', () => {
      const more = { ...commands[0]!, name: 'newcomer', describe: 'just arrived' }
      expect(overview({ ...program, commands: [...commands, more] })).to.match(/\nAlso:\n.*newcomer +just arrived/)
      const names = commands.map(({ name }) => name)
      for (const group of program.groups) expect(names).to.include.members(Object.keys(group.commands))
    })
  })

describe('the ports that posternd init is told', () => {
  for (const text of ['22,8080', '22 8080', ' 22, 8080 ', '8080  22'])
    it(`as ${JSON.stringify(text)}`, () => {
      expect(wishedPorts(text)).to.deep.equal({
        value: [
          { first: 22, last: 22 },
          { first: 8080, last: 8080 },
        ],
      })
    })

  it('with a range, however it is spaced', () => {
    expect(wishedPorts('22 8000 - 8010')).to.have.nested.property('value[1].last', 8010)
    expect(wishedPorts('22 ssh')).to.have.property('misfit')
  })
})
