/**
 * The names of the twin's file system: what a process sees, what a power failure would leave, and the changes between.
 *
 * A name that was made, renamed or removed is durable when its directory was synced. At a power failure a prefix of
 * the other changes is there (journalling file systems keep their order); what then hangs in no directory is gone.
 */
import { EnvironmentError, type Random } from '../../base/index.ts';
import type { MemoryFile } from './memory-file.ts';

export type TreeNode = MemoryFile | 'directory';
type Names = Map<string, TreeNode>;

interface NameChange {
  readonly directories: readonly string[];
  apply(names: Names): void;
}

export class MemoryDirectoryTree {
  #current: Names = new Map([['/', 'directory']]);
  #durable: Names = new Map([['/', 'directory']]);
  #changes: NameChange[] = [];

  find(path: string): TreeNode | undefined {
    return this.#current.get(normalize(path));
  }

  /** What a power failure would leave under this very name for certain. */
  findDurable(path: string): TreeNode | undefined {
    return this.#durable.get(path);
  }

  /** Normalized paths in `directory` that a power failure would leave for certain, in no order. */
  durablePaths(directory: string): string[] {
    const prefix = `${directory}/`;
    return [...this.#durable.keys()].filter((path) => path.startsWith(prefix));
  }

  /** Every path, sorted. */
  paths(): string[] {
    return [...this.#current.keys()].sort();
  }

  files(): MemoryFile[] {
    return [...this.#current.values()].filter((node) => node !== 'directory');
  }

  list(directory: string): string[] {
    const path = normalize(directory);
    if (this.#current.get(path) !== 'directory') throw missing(directory);
    const prefix = path === '/' ? '/' : `${path}/`;
    const names: string[] = [];
    for (const other of this.#current.keys())
      if (other !== '/' && other.startsWith(prefix) && !other.slice(prefix.length).includes('/'))
        names.push(other.slice(prefix.length));
    return names.sort();
  }

  add(path: string, file: MemoryFile): void {
    const name = normalize(path);
    if (this.#current.get(parentOf(name)) !== 'directory') throw missing(parentOf(name));
    this.#change([parentOf(name)], (names) => names.set(name, file));
  }

  makeDirectory(path: string): void {
    const name = normalize(path);
    const found = this.#current.get(name);
    if (found === 'directory') return;
    if (found !== undefined) throw exists(path);
    this.makeDirectory(parentOf(name));
    this.#change([parentOf(name)], (names) => names.set(name, 'directory'));
  }

  rename(from: string, to: string): void {
    const [source, target] = [normalize(from), normalize(to)];
    const moved = this.#current.get(source);
    if (moved === undefined) throw missing(from);
    if (this.#current.get(parentOf(target)) !== 'directory') throw missing(parentOf(target));
    const found = this.#current.get(target);
    if (found === 'directory' && (moved !== 'directory' || this.list(target).length > 0)) throw exists(to);
    if (found !== undefined && found !== 'directory' && moved === 'directory') throw exists(to);
    this.#change([parentOf(source), parentOf(target)], (names) => move(names, source, target));
  }

  remove(path: string): void {
    const name = normalize(path);
    if (!this.#current.has(name)) return;
    this.#change([parentOf(name)], (names) => {
      if (names.get(name) !== 'directory') names.delete(name);
      else for (const other of names.keys()) if (isWithin(other, name)) names.delete(other);
    });
  }

  syncDirectory(directory: string): void {
    const path = normalize(directory);
    if (this.#current.get(path) !== 'directory') throw missing(directory);
    this.#changes = this.#changes.filter((change) => {
      if (!change.directories.includes(path)) return true;
      change.apply(this.#durable);
      return false;
    });
  }

  /** Nothing is left, durably. */
  wipe(): void {
    this.#current = new Map([['/', 'directory']]);
    this.#durable = new Map(this.#current);
    this.#changes = [];
  }

  /** The power fails. */
  crash(random: Random): void {
    const kept = random.integer(0, this.#changes.length + 1);
    for (const change of this.#changes.slice(0, kept)) change.apply(this.#durable);
    this.#changes = [];
    for (const path of [...this.#durable.keys()].sort())
      if (path !== '/' && this.#durable.get(parentOf(path)) !== 'directory') this.#durable.delete(path);
    this.#current = new Map(this.#durable);
  }

  #change(directories: readonly string[], apply: (names: Names) => unknown): void {
    const change: NameChange = {
      directories: [...new Set(directories)],
      apply: (names) => {
        apply(names);
      },
    };
    change.apply(this.#current);
    this.#changes.push(change);
  }
}

function move(names: Names, source: string, target: string): void {
  const node = names.get(source);
  if (node !== 'directory') {
    names.delete(source);
    if (node !== undefined) names.set(target, node);
    return;
  }
  for (const [path, node] of [...names]) {
    if (!isWithin(path, source)) continue;
    names.delete(path);
    names.set(target + path.slice(source.length), node);
  }
}

function isWithin(path: string, ancestor: string): boolean {
  return path === ancestor || path.startsWith(`${ancestor}/`);
}

/** Most are: no empty name, and none that begins with a dot. */
const NORMAL = /^(?:\/[^/.][^/]*)+$/;

/** '/a//b/./c/' and 'a/b/c' are '/a/b/c'. */
export function normalize(path: string): string {
  if (NORMAL.test(path)) return path;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function missing(path: string): EnvironmentError {
  return new EnvironmentError('not-found', path, `there is no such file or directory: ${path}`);
}

function exists(path: string): EnvironmentError {
  return new EnvironmentError('already-exists', path, `it exists already: ${path}`);
}
