/** Of a socket's error under systemd: postern.service allows no IP socket, and letmein's exchange alone needs one. */

/** What mends it, to be put behind the error's message; empty where systemd is not (`underSystemd`), or it is another error. */
export function unitForbids(
  { code }: NodeJS.ErrnoException,
  underSystemd = process.env['JOURNAL_STREAM'] !== undefined,
): string {
  if (!underSystemd || (code !== 'EAFNOSUPPORT' && code !== 'EPERM')) return ''
  return '; where the unit forbids it: conf/systemd/letmein.conf goes into postern.service.d'
}
