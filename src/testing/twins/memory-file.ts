/**
 * The contents of one file of the twin: what a reader sees, what a power failure would leave, and the changes between.
 *
 * A sync makes the changes that were complete when it began durable. A failed sync leaves them readable but never to
 * become durable by a later sync, as Linux does (it marks the pages clean). At a power failure every change that
 * is not durable may be there whole, in part, or not at all: as a torn prefix, or as any subset of 512-byte sectors. What
 * was overwritten durably never comes back.
 */
import type { Random } from '../../base/index.ts';
import { copyBytes } from './copy-bytes.ts';

const SECTOR_BYTES = 512;

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array; lost: boolean }
  | { readonly kind: 'truncate'; readonly sizeBytes: number; lost: boolean };

export class MemoryFile {
  #current = new GrowableBytes();
  #durable = new GrowableBytes();
  #changes: Change[] = [];
  #durableVersion = 0;

  get sizeBytes(): number {
    return this.#current.size;
  }

  get unsyncedChanges(): number {
    return this.#changes.length;
  }

  /** `bytes` is not changed any more. */
  write(position: number, bytes: Uint8Array): void {
    const change: Change = { kind: 'write', position, bytes, lost: false };
    this.#changes.push(change);
    apply(this.#current, change);
  }

  truncate(sizeBytes: number): void {
    const change: Change = { kind: 'truncate', sizeBytes, lost: false };
    this.#changes.push(change);
    apply(this.#current, change);
  }

  read(buffer: Uint8Array, position: number): number {
    return this.#current.read(buffer, position);
  }

  /** What a power failure would leave for certain. Not to be changed; the next sync may change it. */
  get durableBytes(): Uint8Array {
    return this.#durable.bytes();
  }

  /** Another number whenever durable bytes change otherwise than by growing at the end. */
  get durableVersion(): number {
    return this.#durableVersion;
  }

  /** A copy of what a reader sees. */
  contents(): Uint8Array {
    return copyBytes(this.#current.bytes());
  }

  /** What a sync that begins now will cover. */
  changesSoFar(): readonly unknown[] {
    return this.#changes.slice();
  }

  completeSync(covered: readonly unknown[]): void {
    const set = new Set(covered);
    let left: Change[] = [];
    for (const change of this.#changes) {
      // Sizes are in the journal of the file system, which a later sync writes; lost pages are not.
      if (!set.has(change) || (change.lost && change.kind === 'write')) {
        left.push(change);
        continue;
      }
      this.#applyDurably(change);
      if (left.length > 0) left = left.flatMap((earlier) => without(earlier, change));
    }
    this.#changes = left;
  }

  failSync(covered: readonly unknown[]): void {
    const set = new Set(covered);
    for (const change of this.#changes) if (set.has(change)) change.lost = true;
  }

  /** The power fails. */
  crash(random: Random): void {
    const changes = this.#changes;
    const way = random.integer(0, 4);
    if (way === 1) for (const change of changes) if (!change.lost) apply(this.#durable, change);
    if (way === 2) keepTornPrefix(this.#durable, changes, random);
    if (way === 3) keepSectors(this.#durable, changes, random);
    this.#changes = [];
    this.#current = this.#durable.clone();
    this.#durableVersion++;
  }

  /** Changes the stored bytes behind everybody's back, on disk and in the cache. */
  damage(change: (bytes: Uint8Array) => Uint8Array): void {
    this.#current = GrowableBytes.of(change(this.#current.bytes()));
    this.#durable = this.#current.clone();
    this.#changes = [];
    this.#durableVersion++;
  }

  /** Changes one byte behind everybody's back, on disk and in the cache, where it is `from`. What is synced stays so. */
  changeByte(index: number, from: number, to: number): void {
    for (const place of [this.#current, this.#durable])
      if (index < place.size && place.bytes()[index] === from) place.bytes()[index] = to;
    this.#durableVersion++;
  }

  #applyDurably(change: Change): void {
    const from = change.kind === 'truncate' ? change.sizeBytes : change.position;
    if (from < this.#durable.size) this.#durableVersion++;
    apply(this.#durable, change);
  }
}

function apply(target: GrowableBytes, change: Change): void {
  if (change.kind === 'truncate') target.truncate(change.sizeBytes);
  else target.write(change.position, change.bytes);
}

/** What can still happen of a change after `later` is durable: nothing to the bytes that it wrote or cut off. */
function without(earlier: Change, later: Change): Change[] {
  if (earlier.kind === 'truncate') return [];
  const { position, bytes, lost } = earlier;
  const from = later.kind === 'write' ? later.position : later.sizeBytes;
  const to = later.kind === 'write' ? from + later.bytes.byteLength : Number.POSITIVE_INFINITY;
  const piece = (start: number, end: number): Change[] =>
    start < end
      ? [{ kind: 'write', position: start, bytes: bytes.subarray(start - position, end - position), lost }]
      : [];
  const end = position + bytes.byteLength;
  return [...piece(position, Math.min(end, from)), ...piece(Math.max(position, to), end)];
}

function keepTornPrefix(target: GrowableBytes, changes: readonly Change[], random: Random): void {
  const whole = random.integer(0, changes.length + 1);
  for (const change of changes.slice(0, whole)) apply(target, change);
  const torn = changes[whole];
  if (torn?.kind === 'write') {
    const kept = torn.bytes.subarray(0, random.integer(0, torn.bytes.byteLength + 1));
    target.write(torn.position, kept);
  }
}

function keepSectors(target: GrowableBytes, changes: readonly Change[], random: Random): void {
  for (const change of changes) {
    if (change.kind === 'truncate') {
      if (random.float() < 0.5) apply(target, change);
      continue;
    }
    let from = 0;
    while (from < change.bytes.byteLength) {
      const sectorEnd = SECTOR_BYTES - ((change.position + from) % SECTOR_BYTES);
      const to = Math.min(from + sectorEnd, change.bytes.byteLength);
      if (random.float() < 0.5) target.write(change.position + from, change.bytes.subarray(from, to));
      from = to;
    }
  }
}

/** Bytes that grow; a write past the end fills the gap with zeros, as files do. */
class GrowableBytes {
  size = 0;
  #bytes = new Uint8Array(0);

  static of(bytes: Uint8Array): GrowableBytes {
    const made = new GrowableBytes();
    made.write(0, bytes);
    return made;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.size);
  }

  clone(): GrowableBytes {
    return GrowableBytes.of(this.bytes());
  }

  write(position: number, bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return;
    const end = position + bytes.byteLength;
    if (end > this.#bytes.byteLength) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.byteLength * 2, 256));
      grown.set(this.bytes());
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, position);
    this.size = Math.max(this.size, end);
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes < this.size) this.#bytes.fill(0, sizeBytes, this.size);
    else if (sizeBytes > this.size) this.write(sizeBytes - 1, new Uint8Array(1));
    this.size = sizeBytes;
  }

  read(buffer: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(buffer.byteLength, this.size - position));
    buffer.set(this.#bytes.subarray(position, position + count));
    return count;
  }
}
