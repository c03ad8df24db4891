/**
 * Whether the daemon's own user can read what root has just read: files, folders that are listed, and the way to each of them.
 * Judged by group and mode, as the programs are installed: user and group postern.
 */
import { type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { shellWord } from '../../config/permissions.js'

/** What is read: files, and folders whose names are listed. */
export interface ReadPaths {
  readonly files: readonly string[]
  readonly folders: readonly string[]
}

export interface Unreadable {
  readonly path: string
  /** What its mode has to be, with group postern. */
  readonly mode: '640' | '750'
}

const LIST = 0o055
const ENTER = 0o011
const READ = 0o044

/** What one of these groups' members may not read, list or enter, in the order in which it is come by. Throws where a path is missing. */
export function unreadable({ files, folders }: ReadPaths, groups: readonly number[]): Unreadable[] {
  const listed = new Set(folders)
  const ways = new Set([...files, ...folders].flatMap(foldersAbove))
  for (const folder of folders) ways.add(folder)
  const shut = [...ways].filter((folder) => !may(statSync(folder), listed.has(folder) ? LIST : ENTER, groups))
  const kept = files.filter((file) => !may(statSync(file), READ, groups))
  return [
    ...shut.sort().map((path) => ({ path, mode: '750' }) as const),
    ...kept.map((path) => ({ path, mode: '640' }) as const),
  ]
}

/** The commands that make them readable: one for all files, one for all folders. */
export function cureOf(paths: readonly Unreadable[]): string[] {
  return (['750', '640'] as const).flatMap((mode) => {
    const words = paths.filter((one) => one.mode === mode).map(({ path }) => shellWord(path))
    return words.length === 0 ? [] : [`chgrp postern ${words.join(' ')} && chmod ${mode} ${words.join(' ')}`]
  })
}

/** The bits of `wanted` that are the group's count where it is one of theirs, else those of everybody. */
function may({ mode, gid }: Stats, wanted: number, groups: readonly number[]): boolean {
  const bits = wanted & (groups.includes(gid) ? 0o070 : 0o007)
  return (mode & bits) === bits
}

/** All of them, without `/`. */
function foldersAbove(path: string): string[] {
  const folder = dirname(path)
  return folder === '/' || folder === path || folder === '.' ? [] : [...foldersAbove(folder), folder]
}
