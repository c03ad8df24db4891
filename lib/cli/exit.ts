/** The exit codes of `postern` and `posternd` (docs/EXIT-CODES.md); 69, 77 and 78 are those of sysexits.h. */
export const EXIT = {
  /** Done: sent, and with --wait the port is open. */
  ok: 0,
  /** It did not happen: name not resolved, nothing sent, still shut after the timeout. */
  failed: 1,
  /** The command line is wrong; nothing was done. */
  usage: 2,
  /** Something of the system that is needed is not there. */
  unavailable: 69,
  /** A key file was refused for its permissions. */
  permission: 77,
  /** The configuration is wrong, or says nothing about what was asked for. */
  configuration: 78,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
