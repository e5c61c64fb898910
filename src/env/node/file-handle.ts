/**
 * One open file. Uses the callback calls of node:fs on a raw descriptor: the promise API costs about twice as much.
 *
 * After a failed sync the handle refuses everything but `close`: the kernel may have dropped the dirty pages and report
 * success the next time. Source: "PostgreSQL's fsync() surprise" (2018), Rebello et al., "Can Applications Recover from
 * fsync Failures?" (USENIX ATC 2020).
 */
import * as fs from 'node:fs';
import { EnvironmentError } from '../../base/index.ts';
import type { FileHandle } from '../files.ts';
import { toFileError } from './file-error.ts';

/** IOV_MAX of Linux and macOS: a longer list of buffers goes out in several calls. */
const BUFFERS_PER_WRITE_MAX = 1024;

type Done<T> = (error: NodeJS.ErrnoException | null, result: T) => void;

export class NodeFileHandle implements FileHandle {
  readonly path: string;
  readonly #descriptor: number;
  #closed = false;
  #failure: EnvironmentError | undefined;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    let at = position;
    let rest = buffers.filter((buffer) => buffer.byteLength > 0);
    while (rest.length > 0) {
      const some = rest.slice(0, BUFFERS_PER_WRITE_MAX);
      const written = await this.#call<number>('write to', (done) =>
        fs.writev(this.#descriptor, some, at, done),
      );
      at += written;
      rest = withoutFirstBytes(rest, written);
    }
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < buffer.byteLength) {
      const count = await this.#call<number>('read', (done) =>
        fs.read(this.#descriptor, buffer, filled, buffer.byteLength - filled, position + filled, done),
      );
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#call<void>('truncate', (done) =>
      fs.ftruncate(this.#descriptor, sizeBytes, (error) => done(error, undefined)),
    );
  }

  async sync(): Promise<void> {
    try {
      await this.#call<void>('sync', (done) =>
        fs.fdatasync(this.#descriptor, (error) => done(error, undefined)),
      );
    } catch (error) {
      this.#failure = toFileError(error, 'sync', this.path);
      throw this.#failure;
    }
  }

  async sizeBytes(): Promise<number> {
    const stat = await this.#call<fs.Stats>('stat', (done) => fs.fstat(this.#descriptor, done));
    return stat.size;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await new Promise<void>((resolve, reject) => {
      fs.close(this.#descriptor, (error) =>
        error === null || error === undefined ? resolve() : reject(toFileError(error, 'close', this.path)),
      );
    });
  }

  #call<T>(action: string, start: (done: Done<T>) => void): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closed)
      return Promise.reject(
        new EnvironmentError('closed', this.path, `cannot ${action} ${this.path}: the file is closed`),
      );
    return new Promise((resolve, reject) => {
      start((error, result) =>
        error === null || error === undefined
          ? resolve(result)
          : reject(toFileError(error, action, this.path)),
      );
    });
  }
}

/** What is left of `buffers` after the system took `count` bytes (it may take fewer than given). */
function withoutFirstBytes(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  let skip = count;
  const rest: Uint8Array[] = [];
  for (const buffer of buffers) {
    if (skip >= buffer.byteLength) skip -= buffer.byteLength;
    else {
      rest.push(skip === 0 ? buffer : buffer.subarray(skip));
      skip = 0;
    }
  }
  return rest;
}
