import { EnvironmentError, type Offset } from '../../base/index.ts';
import { type FileHandle, type Files, readWholeFile } from '../../env/index.ts';
import { OffsetIndexVerifier, TimeIndexVerifier } from '../inspect/verify-index.ts';
import type { BatchHeader } from '../record/index.ts';
import { decodeOffsetEntries, OFFSET_ENTRY_BYTES } from '../segment/offset-index.ts';
import { SegmentIndex } from '../segment/segment-index.ts';
import { decodeTimeEntries, TIME_ENTRY_BYTES } from '../segment/time-index.ts';
import { checkPiece, type Damage } from './check-batches.ts';
import type { ClosedSegment, ClosedSegments } from './closed-segments.ts';

/** Bytes of one read, which are also checked in one go: a millisecond of the event loop at most. */
export const PIECE_BYTES = 256 * 1024;

export interface IndexDamage extends Damage {
  readonly file: string;
}

export type CheckStep =
  | { readonly kind: 'more'; readonly bytes: number }
  /** `indexes`: what is wrong with the index files of a segment that is sound itself. */
  | { readonly kind: 'end'; readonly bytes: number; readonly indexes: readonly IndexDamage[] }
  | ({ readonly kind: 'damage'; readonly bytes: number } & Damage);

/**
 * Reads one closed segment from its start to its end, through a file handle of its own: the segments that readers
 * keep open stay as they are. Indexes are held against the batches in the same pass, and made anew beside it, so that
 * bad ones can be replaced without another.
 */
export class SegmentCheck {
  readonly closed: ClosedSegment;
  readonly #log: ClosedSegments;
  readonly #handle: FileHandle;
  readonly #offsets: OffsetIndexVerifier;
  readonly #times: TimeIndexVerifier;
  readonly #missing: readonly IndexDamage[];
  readonly #index: SegmentIndex;
  #position = 0;
  #nextOffset: Offset;
  #piece = new Uint8Array(0);

  /** Use {@link SegmentCheck.open}. */
  constructor(log: ClosedSegments, closed: ClosedSegment, files: OpenFiles) {
    const { baseOffset, segment } = closed;
    this.#log = log;
    this.closed = closed;
    this.#handle = files.handle;
    this.#nextOffset = baseOffset;
    this.#index = new SegmentIndex(baseOffset);
    const { offsets = new Uint8Array(0), times = new Uint8Array(0) } = files;
    this.#offsets = new OffsetIndexVerifier(
      decodeOffsetEntries(offsets, baseOffset, `${segment.path}.index`),
      OFFSET_ENTRY_BYTES,
    );
    this.#times = new TimeIndexVerifier(
      decodeTimeEntries(times, baseOffset, `${segment.path}.timeindex`),
      TIME_ENTRY_BYTES,
    );
    this.#missing = [
      ...(files.offsets === undefined ? [missing(`${segment.path}.index`)] : []),
      ...(files.times === undefined ? [missing(`${segment.path}.timeindex`)] : []),
    ];
  }

  /** Rejects with EnvironmentError, 'not-found' when the segment has no file. */
  static async open(log: ClosedSegments, closed: ClosedSegment): Promise<SegmentCheck> {
    const { path, logPath } = closed.segment;
    const offsets = await readIndex(log.files, `${path}.index`);
    const times = await readIndex(log.files, `${path}.timeindex`);
    const handle = await log.files.open(logPath, 'read');
    return new SegmentCheck(log, closed, { handle, offsets, times });
  }

  /** Reads and checks the next piece. After 'end' or 'damage' there is none. Rejects with EnvironmentError. */
  async step(): Promise<CheckStep> {
    const { sizeBytes: endPosition, endOffset } = this.closed;
    const before = this.#position;
    if (before < endPosition) {
      const damage = await this.#checkPiece(endPosition);
      if (damage !== undefined) return { kind: 'damage', bytes: this.#piece.length, ...damage };
    }
    const bytes = this.#position - before;
    if (this.#position < endPosition) return { kind: 'more', bytes };
    if (this.#nextOffset !== endOffset)
      return {
        kind: 'damage',
        bytes,
        position: this.#position,
        expected: `an end at offset ${endOffset}, where the next segment begins`,
        found: `an end at offset ${this.#nextOffset}`,
      };
    return { kind: 'end', bytes, indexes: this.#endIndexes() };
  }

  /** Replaces the index files by those made of the batches, each as a whole. After 'end'. Rejects with EnvironmentError. */
  saveIndexes(): Promise<void> {
    return this.closed.segment.replaceIndex(this.#index);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #checkPiece(endPosition: number): Promise<Damage | undefined> {
    let wanted = PIECE_BYTES;
    for (;;) {
      const count = Math.min(wanted, endPosition - this.#position);
      if (this.#piece.length < count) this.#piece = Buffer.allocUnsafeSlow(count);
      const filled = await this.#handle.read(this.#piece.subarray(0, count), this.#position);
      if (filled < count)
        return {
          position: this.#position + filled,
          expected: `a file of ${endPosition} bytes`,
          found: 'its end',
        };
      const piece = {
        bytes: this.#piece.subarray(0, filled),
        position: this.#position,
        endPosition,
        nextOffset: this.#nextOffset,
      };
      const verdict = checkPiece(
        piece,
        (offset) => this.#log.epochAt(offset),
        (header, at) => this.#note(header, at),
      );
      if (verdict.kind === 'damage') return verdict;
      if (verdict.kind === 'sound') {
        this.#position = verdict.position;
        this.#nextOffset = verdict.nextOffset;
        // A large batch was the exception: its memory goes.
        if (this.#piece.length > PIECE_BYTES) this.#piece = new Uint8Array(0);
        return undefined;
      }
      wanted = verdict.sizeBytes;
    }
  }

  #note(header: BatchHeader, position: number): void {
    this.#offsets.note(header, position);
    this.#times.note(header);
    this.#index.note(header, position, this.#log.indexIntervalBytes);
  }

  #endIndexes(): IndexDamage[] {
    const { segment, sizeBytes } = this.closed;
    const offsets = this.#offsets.end(sizeBytes).mismatches.slice(0, 1);
    const times = this.#times.end(this.#nextOffset).mismatches.slice(0, 1);
    const named = new Map<string, IndexDamage>();
    for (const damage of offsets)
      named.set(`${segment.path}.index`, { ...damage, file: `${segment.path}.index` });
    for (const damage of times)
      named.set(`${segment.path}.timeindex`, { ...damage, file: `${segment.path}.timeindex` });
    for (const damage of this.#missing) named.set(damage.file, damage);
    return [...named.values()];
  }
}

interface OpenFiles {
  readonly handle: FileHandle;
  readonly offsets: Uint8Array | undefined;
  readonly times: Uint8Array | undefined;
}

function missing(file: string): IndexDamage {
  return { file, position: 0, expected: 'the index of a closed segment', found: 'no file' };
}

/** A file that cannot be read whole counts as missing: it is made anew. */
async function readIndex(files: Files, path: string): Promise<Uint8Array | undefined> {
  try {
    return await readWholeFile(files, path);
  } catch (error) {
    if (error instanceof EnvironmentError && error.reason !== 'not-found') throw error;
    return undefined;
  }
}
