/**
 * What of a data directory would be left after power loss, read from the ledger that the shim writes (see shim.c).
 *
 * A file keeps the bytes that were synced; of later ones any part may be there. A name (of a new file, of a renamed or
 * removed one) is durable once its directory was synced; of the changes of one directory since then the newest may be
 * missing, mostly all. This is what POSIX promises and no more; file systems with a journal are kinder.
 *
 * Paths of changes that are not durable yet are kept as they are now: a rename of a directory moves all that lies in it.
 */
import type { Random } from '../../../src/base/index.ts';

export interface PreImage {
  readonly order: number;
  readonly offset: number;
  readonly bytes: Buffer;
}

export interface FileState {
  durableBytes: number;
  preImages: PreImage[];
}

interface Change {
  readonly order: number;
  readonly kind: 'create' | 'make-directory' | 'rename' | 'remove' | 'remove-directory';
  path: string;
  /** Whose sync makes the change durable. */
  directory: string;
  /** Of a rename: the name before. */
  from: string;
  readonly shadow: string | undefined;
}

/** What to do to a directory tree so that it is as after power loss; in this order. */
export type Undo =
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'remove-tree'; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'restore'; readonly shadow: string; readonly path: string }
  | { readonly kind: 'make-directory'; readonly path: string };

/** What to do to one file. */
export interface FileCut {
  readonly keepBytes: number;
  readonly restore: readonly PreImage[];
  /** Half-open ranges of bytes that never came to the disk, within `keepBytes`. */
  readonly zero: readonly { readonly from: number; readonly to: number }[];
}

/** Numbers of events of one process; a later process continues above. */
const EVENTS_PER_PROCESS = 2 ** 40;
const SECTOR_BYTES = 512;

export class Ledger {
  #files = new Map<number, FileState>();
  #changes: Change[] = [];
  #base = 0;

  /** All that is there now is durable. `sizes`: of each inode. */
  reset(sizes: ReadonlyMap<number, number>): void {
    this.#files = new Map(
      [...sizes].map(([inode, durableBytes]) => [inode, { durableBytes, preImages: [] }]),
    );
    this.#changes = [];
  }

  /** The events of one process, whole; a torn last line is ignored. */
  read(text: string): void {
    for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n'))
      if (line !== '') this.#read(line.split('\t'));
    this.#base += EVENTS_PER_PROCESS;
  }

  get pendingNames(): number {
    return this.#changes.length;
  }

  fileState(inode: number): FileState | undefined {
    return this.#files.get(inode);
  }

  /** Names that get lost, newest first. Call once, then {@link reset}. */
  undoNames(random: Random): Undo[] {
    const lost = this.#drawLost(random);
    const undos: Undo[] = [];
    for (let index = this.#changes.length - 1; index >= 0; index--) {
      const change = this.#changes[index];
      if (change === undefined || !lost.has(change)) continue;
      const earlier = this.#changes.slice(0, index);
      undos.push(...undoOf(change));
      if (change.kind === 'rename') move(earlier, change.path, change.from);
      if (change.shadow !== undefined) move(earlier, shadowPath(change.shadow), change.path);
    }
    return undos;
  }

  #read([kind, number, ...fields]: string[]): void {
    const order = this.#base + Number(number);
    const [one = '', two = '', three] = fields;
    switch (kind) {
      case 'C':
        this.#files.set(Number(one), { durableBytes: 0, preImages: [] });
        this.#change('create', order, two);
        break;
      case 'M':
        this.#change('make-directory', order, one);
        break;
      case 'D':
        this.#change('remove-directory', order, one);
        break;
      case 'U':
        this.#change('remove', order, one, '', two);
        break;
      case 'R':
        this.#change('rename', order, two, one, three);
        break;
      case 'P':
        this.#files
          .get(Number(one))
          ?.preImages.push({ order, offset: Number(two), bytes: Buffer.from(three ?? '', 'hex') });
        break;
      case 'S':
        this.#syncFile(Number(one), Number(two), this.#base + Number(three));
        break;
      case 'Y':
        this.#syncDirectory(one, this.#base + Number(two));
        break;
      default:
        throw new Error(`the ledger has an event of kind "${kind}"`);
    }
  }

  #change(kind: Change['kind'], order: number, path: string, from = '', shadow = '-'): void {
    const kept = shadow === '-' ? undefined : shadow;
    if (kept !== undefined) move(this.#changes, path, shadowPath(kept));
    if (kind === 'rename') move(this.#changes, from, path);
    this.#changes.push({ order, kind, path, directory: parentOf(path), from, shadow: kept });
  }

  #syncFile(inode: number, sizeBytes: number, begin: number): void {
    const before = this.#files.get(inode)?.preImages ?? [];
    this.#files.set(inode, {
      durableBytes: sizeBytes,
      preImages: before.filter(({ order }) => order >= begin),
    });
  }

  #syncDirectory(directory: string, begin: number): void {
    this.#changes = this.#changes.filter((change) => change.directory !== directory || change.order >= begin);
  }

  #drawLost(random: Random): Set<Change> {
    const byDirectory = new Map<string, Change[]>();
    for (const change of this.#changes) {
      const list = byDirectory.get(change.directory) ?? [];
      list.push(change);
      byDirectory.set(change.directory, list);
    }
    const lost = new Set<Change>();
    for (const list of byDirectory.values()) {
      const kept = random.float() < 0.6 ? 0 : random.integer(0, list.length + 1);
      for (const change of list.slice(kept)) lost.add(change);
    }
    return lost;
  }
}

/** What happens to a file that has `sizeBytes` now. */
export function cutFile(state: FileState, sizeBytes: number, random: Random): FileCut {
  const { durableBytes, preImages } = state;
  const isTorn = random.float() < 0.6;
  const lost = preImages.filter(({ offset }) => offset < durableBytes && !(isTorn && random.float() < 0.5));
  const restore = lost
    .map(({ order, offset, bytes }) => ({ order, offset, bytes: bytes.subarray(0, durableBytes - offset) }))
    .reverse();
  const restoredBytes = Math.max(0, ...restore.map(({ offset, bytes }) => offset + bytes.length));
  const loose = sizeBytes - durableBytes;
  if (loose <= 0) return { keepBytes: Math.max(sizeBytes, restoredBytes), restore, zero: [] };
  const keepBytes = durableBytes + (isTorn ? random.integer(0, loose + 1) : 0);
  const zero: { from: number; to: number }[] = [];
  if (isTorn && random.float() < 0.4)
    for (let from = durableBytes; from < keepBytes; ) {
      const to = Math.min(keepBytes, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES);
      if (random.float() < 0.5) zero.push({ from, to });
      from = to;
    }
  return { keepBytes, restore, zero };
}

function undoOf({ kind, path, from, shadow }: Change): Undo[] {
  const restored: Undo[] = shadow === undefined ? [] : [{ kind: 'restore', shadow, path }];
  switch (kind) {
    case 'create':
      return [{ kind: 'remove', path }];
    case 'make-directory':
      return [{ kind: 'remove-tree', path }];
    case 'rename':
      return [{ kind: 'rename', from: path, to: from }, ...restored];
    case 'remove':
      return restored;
    case 'remove-directory':
      return [{ kind: 'make-directory', path }];
  }
}

function move(changes: readonly Change[], from: string, to: string): void {
  const moved = (path: string): string =>
    path === from || path.startsWith(`${from}/`) ? to + path.slice(from.length) : path;
  for (const change of changes) {
    change.path = moved(change.path);
    change.directory = moved(change.directory);
    change.from = moved(change.from);
  }
}

/** Not the name of any file: what was replaced or removed is known by its link from then on. */
function shadowPath(shadow: string): string {
  return `\0${shadow}`;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
