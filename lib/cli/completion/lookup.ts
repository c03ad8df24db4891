/**
 * How a shell finds hosts, ports, resources and users: POSIX shell text that prints one a line, from ssh's files and from the
 * configuration. It starts no Node, is silent where a file is missing or may not be read, and never prints a key.
 */
import { SERVER_FILES } from '../../config/files.js'
import type { Lookup } from './vocabulary.js'

const CLIENT_FILES = [
  // biome-ignore lint/suspicious/noTemplateCurlyInString: for the shell
  '"${XDG_CONFIG_HOME:-$HOME/.config}/postern/postern.conf"',
  '/etc/postern/postern.conf',
  '/opt/letmein/etc/letmein.conf',
]

/** The shell text for one kind of word of this program. Quote it as one word. */
export function lookupScript(program: string, kind: Lookup): string {
  if (kind === 'host') return HOSTS
  const first = firstOf(program === 'posternd' ? SERVER_FILES : CLIENT_FILES)
  if (kind === 'user' && program === 'posternd') return `${first}; awk '${NAMES_OR_IDS}' "$f" 2>/dev/null`
  if (kind === 'port' && program === 'postern')
    return `${first}; sed -n "${CLIENT_PORTS}" "$f" 2>/dev/null${PORTS_AND_NAMES}`
  // The client's words for a resource are ids alone.
  const sed = kind === 'resource' && program === 'postern' ? RESOURCE_IDS : SEDS[kind]
  return `${first}; sed -n "${sed}" "$f" 2>/dev/null${kind === 'port' ? PORTS : ''}`
}

/** Leaves in `f` the first file that is there, which is the one that the program reads. */
function firstOf(files: readonly string[]): string {
  return `for f in ${files.join(' ')}; do [ -e "$f" ] && break; done`
}

/** What a host's name can be. What a file has else is not offered: bash would carry out `$(…)` in it. */
const ONLY_NAMES = 'grep -x "[[:alnum:]_][[:alnum:]_.:%-]*"'

/** Hosts of the client's own file, named hosts of ~/.ssh/config, and what known_hosts names openly. */
const HOSTS = `{ ${[
  'sed -n "s/^[[:blank:]]*[Hh][Oo][Ss][Tt][[:blank:]][[:blank:]]*//p" ~/.ssh/config 2>/dev/null | tr -s "[:blank:]" "\\n"',
  'sed "/^[|@#[]/d; s/ .*//" ~/.ssh/known_hosts 2>/dev/null | tr , "\\n"',
  firstOf(CLIENT_FILES),
  'sed -n "s/^\\[HOST[[:blank:]][[:blank:]]*\\([^]]*\\)\\].*/\\1/p" "$f" 2>/dev/null',
].join('; ')}; } | ${ONLY_NAMES}`

const ID = '\\([0-9A-Fa-f]\\{1,8\\}\\)[[:blank:]]*='

const SEDS: Readonly<Record<Exclude<Lookup, 'host'>, string>> = {
  port: '/^\\[RESOURCES\\]/,/^\\[[^R]/s/^[0-9A-Fa-f].*port:[[:blank:]]*\\([0-9, -]*\\).*/\\1/p',
  resource: [
    '/^\\[RESOURCES\\]/,/^\\[[^R]/{',
    `s/^${ID}.*name:[[:blank:]]*\\([A-Za-z0-9_.-]*\\).*/\\2/p;t`,
    `s/^${ID}.*/\\1/p`,
    '}',
  ].join('\n'),
  user: `/^\\[KEYS\\]/,/^\\[[^K]/s/^${ID}.*/\\1/p`,
}

/** Who has a key, by his name of [USERS] where he has one. In awk, as either section may be the first; in the patterns of any awk. */
const NAMES_OR_IDS = `
/^#/ { next }
/^\\[/ { s = substr($0, 1, index($0, "]")); k = ""; next }
/^[0-9A-Fa-f]+[ \\t]*=/ {
  id = $0; sub(/[ \\t]*=.*/, "", id)
  k = toupper(id); sub(/^0*/, "x", k)
  if (s == "[KEYS]") ids[k] = id
}
s == "[USERS]" && k != "" && match($0, /[=\\/ \\t]name:[ \\t]*[A-Za-z][A-Za-z0-9_.@-]*/) {
  name = substr($0, RSTART, RLENGTH); sub(/^.*:[ \\t]*/, "", name)
  names[k] = name
}
END { for (k in ids) print (k in names ? names[k] : ids[k]) }
`

const RESOURCE_IDS = `/^\\[RESOURCES\\]/,/^\\[[^R]/s/^${ID}.*/\\1/p`

/** Single ports alone: nobody types a range. */
const PORTS = ' | tr ", " "\\n\\n" | grep -x "[0-9]\\{1,5\\}"'

/** A resource's name and ports, of [RESOURCES] and of each [HOST …], where `postern add` puts them. */
const CLIENT_PORTS = [
  '/^\\(resource[[:blank:]]*\\)\\{0,1\\}[0-9A-Fa-f]\\{1,8\\}[[:blank:]]*=.*port:/{',
  'h',
  's/.*name:[[:blank:]]*\\([A-Za-z0-9_.-]*\\).*/\\1/p',
  'g',
  's/.*port:[[:blank:]]*\\([0-9, -]*\\).*/\\1/p',
  '}',
].join('\n')

const PORTS_AND_NAMES = ' | tr ", " "\\n\\n" | grep -Ex "[0-9]{1,5}|[A-Za-z][A-Za-z0-9_.-]*"'
