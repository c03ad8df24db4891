/** AES-256 of node:crypto under noble's names, without padding: what a packet of fwknop's needs (native-crypto.ts). */
import { createCipheriv, createDecipheriv } from 'node:crypto'

export const cbc = modeOf('aes-256-cbc')
export const cfb = modeOf('aes-256-cfb')
export const ctr = modeOf('aes-256-ctr')

/** ECB has no IV. */
export function ecb(key: Uint8Array, unpadded: { disablePadding: true }) {
  return modeOf('aes-256-ecb')(key, null, unpadded)
}

function modeOf(name: string) {
  return (key: Uint8Array, iv: Uint8Array | null, _unpadded?: { disablePadding: true }) => ({
    encrypt: (bytes: Uint8Array): Uint8Array => run(createCipheriv(name, key, iv), bytes),
    decrypt: (bytes: Uint8Array): Uint8Array => run(createDecipheriv(name, key, iv), bytes),
  })
}

function run(cipher: ReturnType<typeof createCipheriv | typeof createDecipheriv>, bytes: Uint8Array): Uint8Array {
  cipher.setAutoPadding(false)
  return Buffer.concat([cipher.update(bytes), cipher.final()])
}
