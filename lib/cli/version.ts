declare const POSTERN_VERSION: string | undefined

/** The package's version; scripts/bundle.js puts it in. */
export const version = typeof POSTERN_VERSION === 'string' ? POSTERN_VERSION : 'not built'
