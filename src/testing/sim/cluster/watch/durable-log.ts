/**
 * The batches of one replica that its disk would have after a power failure, whatever the broker on it believes.
 *
 * Follows the files as they grow; begins the segment anew when they changed otherwise. Stops at the first batch that is
 * not whole, does not fit its checksum or does not continue the one before: recovery would cut there.
 */
import { crc32c, type LeaderEpoch, type Offset } from '../../../../base/index.ts';
import { BATCH_HEADER_BYTES, readBatchHeader } from '../../../../log/record/index.ts';
import type { DurableFile } from '../../../twins/index.ts';
import type { BatchNames } from './batch-names.ts';

/** Where the covered bytes of a batch begin. */
const CRC_FROM = 21;

export interface StoredBatch {
  readonly base: Offset;
  /** First offset behind it. */
  readonly end: Offset;
  readonly epoch: LeaderEpoch;
  readonly crc: number;
}

export interface DurableFiles {
  findDurable(path: string): DurableFile | undefined;
  durablePaths(directory: string): string[];
}

export class DurableLog {
  readonly #files: DurableFiles;
  readonly #directory: string;
  readonly #names: BatchNames | undefined;
  #path: string | undefined;
  #file: DurableFile | undefined;
  #version = 0;
  #position = 0;
  /** First offset behind what was found. */
  end: Offset = 0;
  /** Batches at and above `checked`, ascending. */
  found: StoredBatch[] = [];
  /** Below it, somebody has dealt with all batches. */
  checked: Offset = 0;

  /** `names`: judges each batch that is read. */
  constructor(files: DurableFiles, directory: string, names?: BatchNames) {
    this.#files = files;
    this.#directory = directory;
    this.#names = names;
  }

  /** Finds what has become durable. */
  advance(): void {
    const file = this.#path === undefined ? undefined : this.#files.findDurable(this.#path);
    if (file === undefined || file !== this.#file || file.durableVersion !== this.#version) this.rewind();
    while (this.#file !== undefined) {
      this.#read(this.#file.durableBytes);
      const next = this.#files.findDurable(segmentPath(this.#directory, this.end));
      if (next === undefined || next === this.#file) break;
      this.#enter(segmentPath(this.#directory, this.end), next);
    }
    if (this.end < this.checked) this.checked = this.end;
  }

  /** Begins at the segment that holds `checked`. */
  rewind(): void {
    const bases = this.#files
      .durablePaths(this.#directory)
      .filter((path) => /\/\d{20}\.log$/.test(path))
      .map((path) => Number(path.slice(-24, -4)))
      .toSorted((a, b) => a - b);
    const base = bases.findLast((candidate) => candidate <= this.checked) ?? bases[0];
    this.found = [];
    this.end = base ?? 0;
    this.#path = undefined;
    this.#file = undefined;
    if (base === undefined) return;
    const path = segmentPath(this.#directory, base);
    const file = this.#files.findDurable(path);
    if (file !== undefined) this.#enter(path, file);
    // What was before the first segment has been deleted, or was never here.
    if (base > this.checked) this.checked = base;
  }

  /** All batches from the beginning. */
  all(): readonly StoredBatch[] {
    const whole = new DurableLog(this.#files, this.#directory);
    whole.advance();
    return whole.found;
  }

  /** Of the batch in `found` that holds `offset`. */
  epochAt(offset: Offset): LeaderEpoch | undefined {
    const batch = this.found.findLast(({ base }) => base <= offset);
    return batch !== undefined && offset < batch.end ? batch.epoch : undefined;
  }

  /** Takes the batches off `found` that end at or below `offset`. */
  take(offset: Offset): StoredBatch[] {
    let count = 0;
    while ((this.found[count]?.end ?? Number.POSITIVE_INFINITY) <= offset) count++;
    return this.found.splice(0, count);
  }

  #enter(path: string, file: DurableFile): void {
    this.#path = path;
    this.#file = file;
    this.#version = file.durableVersion;
    this.#position = 0;
  }

  #read(bytes: Uint8Array): void {
    for (;;) {
      const batch = batchAt(bytes, this.#position);
      if (batch === undefined || batch.base !== this.end) return;
      this.#position += batch.sizeBytes;
      this.end = batch.end;
      if (batch.end <= this.checked) continue;
      this.found.push(batch);
      this.#names?.judge(batch);
    }
  }
}

/** `<directory>/<base>.log`. */
export function segmentPath(directory: string, base: Offset): string {
  return `${directory}/${String(base).padStart(20, '0')}.log`;
}

/** The whole and sound batch that begins at `position`. */
export function batchAt(
  bytes: Uint8Array,
  position: number,
): (StoredBatch & { readonly sizeBytes: number }) | undefined {
  if (position + BATCH_HEADER_BYTES > bytes.byteLength) return undefined;
  const {
    baseOffset: base,
    lastOffset,
    sizeBytes,
    leaderEpoch: epoch,
    crc,
  } = readBatchHeader(bytes.subarray(position));
  const to = position + sizeBytes;
  if (sizeBytes < BATCH_HEADER_BYTES || to > bytes.byteLength) return undefined;
  if (crc32c(bytes.subarray(position + CRC_FROM, to)) !== crc) return undefined;
  return { base, end: lastOffset + 1, epoch, crc, sizeBytes };
}
