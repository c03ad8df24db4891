/**
 * Before it binds, node:dgram asks node:cluster whether this process is a worker. For a primary that loads net, child_process and
 * eleven more of Node's modules, a millisecond of a knock; for a worker three small ones.
 */

/** The variable by which Node tells a worker, and takes away again before a program begins. */
const WORKER = 'NODE_UNIQUE_ID'

/**
 * Has node:cluster take this process for a worker, which has no primary. Only for a program of our own that listens on
 * nothing and binds nothing but `exclusive` (a socket that is not bound ahead of its first `send` or `connect` is). A Node
 * that decides otherwise loads what it always does.
 */
export function forgoCluster(env: NodeJS.ProcessEnv = process.env): void {
  if (process.versions['bun'] !== undefined || WORKER in env) return
  env[WORKER] = ''
  try {
    process.getBuiltinModule('node:cluster')
  } finally {
    delete env[WORKER]
  }
}
