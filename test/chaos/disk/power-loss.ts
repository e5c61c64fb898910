/** Carries out on the files of a killed node what the ledger says that power loss leaves of them. */
import {
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import type { Random } from '../../../src/base/index.ts';
import { cutFile, type FileCut, type Ledger, type Undo } from './ledger.ts';

export interface Loss {
  readonly names: number;
  readonly files: number;
  readonly bytes: number;
}

/** `root`: the data directory of a process that is gone; `shadows`: where the shim kept what was removed. */
export function losePower(ledger: Ledger, root: string, shadows: string, random: Random): Loss {
  const undos = ledger.undoNames(random);
  for (const undo of undos) carryOut(undo, shadows);
  let files = 0;
  let bytes = 0;
  for (const path of filesBelow(root)) {
    const { ino, size } = statSync(path);
    const state = ledger.fileState(ino);
    if (state === undefined) continue;
    const cut = cutFile(state, size, random);
    if (cut.keepBytes === size && cut.restore.length === 0 && cut.zero.length === 0) continue;
    files++;
    bytes += Math.max(0, size - cut.keepBytes);
    apply(path, cut);
  }
  settle(ledger, root, shadows);
  return { names: undos.length, files, bytes };
}

/** All that is below `root` counts as durable from now on. */
export function settle(ledger: Ledger, root: string, shadows: string): void {
  const sizes = new Map<number, number>();
  for (const path of filesBelow(root)) {
    const { ino, size } = statSync(path);
    sizes.set(ino, size);
  }
  ledger.reset(sizes);
  rmSync(shadows, { recursive: true, force: true });
  mkdirSync(shadows, { recursive: true });
}

function carryOut(undo: Undo, shadows: string): void {
  switch (undo.kind) {
    case 'remove':
    case 'remove-tree':
      rmSync(undo.path, { recursive: undo.kind === 'remove-tree', force: true });
      return;
    case 'rename':
      // What lay in a directory whose own name is lost is gone already.
      if (existsSync(undo.from)) renameSync(undo.from, undo.to);
      return;
    case 'restore':
      if (existsSync(parentOf(undo.path)) && !existsSync(undo.path))
        linkSync(`${shadows}/${undo.shadow}`, undo.path);
      return;
    case 'make-directory':
      if (existsSync(parentOf(undo.path)) && !existsSync(undo.path)) mkdirSync(undo.path);
      return;
  }
}

function apply(path: string, { keepBytes, restore, zero }: FileCut): void {
  const file = openSync(path, 'r+');
  try {
    for (const { offset, bytes } of restore) writeSync(file, bytes, 0, bytes.length, offset);
    for (const { from, to } of zero) writeSync(file, Buffer.alloc(to - from), 0, to - from, from);
    ftruncateSync(file, keepBytes);
  } finally {
    closeSync(file);
  }
}

function filesBelow(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .sort();
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
