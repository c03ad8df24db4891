/** The file descriptors that the starter opened, by name: `POSTERN_FDS="command=3,channel=6"`. */
const ENTRY = /^([a-z]+)=([0-9]+)$/

/** Name to descriptor. Throws RangeError where the text has another form. */
export function parseDescriptors(text: string): ReadonlyMap<string, number> {
  const entries = text.split(',').map((part) => ENTRY.exec(part))
  return new Map(
    entries.map((entry) => {
      if (entry === null)
        throw new RangeError(`POSTERN_FDS="${text}": expected name=number, by commas; start it with posternd run`)
      return [entry[1]!, Number(entry[2])]
    }),
  )
}

/** That descriptor's number. Throws RangeError where the starter handed none over. */
export function descriptor(descriptors: ReadonlyMap<string, number>, name: string): number {
  const fd = descriptors.get(name)
  if (fd === undefined) throw new RangeError(`no descriptor "${name}": start it with posternd run`)
  return fd
}
