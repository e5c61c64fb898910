import { constants, open as openDescriptor } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileHandle, FileMode, FileStat, Files } from '../files.ts';
import { toFileError } from './file-error.ts';
import { NodeFileHandle } from './file-handle.ts';
import { lockFile } from './file-lock.ts';

const FLAGS: Readonly<Record<FileMode, number>> = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT,
  'create-new': constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
};

/** The file system of this machine. */
export function nodeFiles(): Files {
  return {
    open,
    list: (directory) => calling('list', directory, async () => (await fs.readdir(directory)).sort()),
    stat,
    makeDirectory: (path) => calling('make directory', path, () => makeDirectory(path)),
    rename: (from, to) => calling(`rename to ${to}:`, from, () => fs.rename(from, to)),
    remove: (path) => calling('remove', path, () => fs.rm(path, { force: true })),
    removeDirectory: (path) => calling('remove', path, () => fs.rm(path, { recursive: true, force: true })),
    syncDirectory,
    lock: (path) => calling('lock', path, () => lockFile(path)),
  };
}

async function calling<T>(action: string, path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toFileError(error, action, path);
  }
}

function open(path: string, mode: FileMode): Promise<FileHandle> {
  return new Promise((resolve, reject) => {
    openDescriptor(path, FLAGS[mode], 0o644, (error, descriptor) => {
      if (error === null) resolve(new NodeFileHandle(path, descriptor));
      else reject(toFileError(error, 'open', path));
    });
  });
}

/** Not mkdir's own recursion: where nothing can be made in a directory that is there (/proc), that never ends. */
async function makeDirectory(path: string): Promise<void> {
  const refusal = await makeOneDirectory(path);
  if (refusal === undefined) return;
  const parent = dirname(path);
  if (parent === path) throw refusal;
  await makeDirectory(parent);
  const again = await makeOneDirectory(path);
  if (again !== undefined) throw again;
}

/** Resolves with the error when its parent is missing. */
async function makeOneDirectory(path: string): Promise<Error | undefined> {
  try {
    await fs.mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return error as Error;
    if (code !== 'EEXIST' || !(await fs.stat(path)).isDirectory()) throw error;
  }
  return undefined;
}

async function stat(path: string): Promise<FileStat | undefined> {
  try {
    const found = await fs.stat(path);
    return { kind: found.isDirectory() ? 'directory' : 'file', sizeBytes: found.size };
  } catch (error) {
    const failure = toFileError(error, 'stat', path);
    if (failure.reason === 'not-found') return undefined;
    throw failure;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  await calling('sync directory', directory, async () => {
    const handle = await fs.open(directory, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}
