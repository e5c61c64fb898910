import type { FileHandle } from '../../env/index.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  type BatchHeader,
  batchMagic,
  batchSizeBytes,
  readBatchHeader,
} from '../record/index.ts';

/** Bytes of one read; a larger batch is read alone. */
const WINDOW_BYTES = 1024 * 1024;
/** A batch that claims to be larger is taken for damage: no broker stores such, and nobody should allocate it. */
const BATCH_BYTES_MAX = 2 ** 30;

export type SegmentStep =
  | {
      readonly kind: 'batch';
      readonly position: number;
      readonly header: BatchHeader;
      /** Valid until the next step is asked for. */
      readonly bytes: Uint8Array;
    }
  /** The file ends inside a batch: it is being written, or was torn. The last step. */
  | {
      readonly kind: 'incomplete';
      readonly position: number;
      readonly wantedBytes: number;
      readonly leftBytes: number;
    }
  /** No batch can begin here. The last step. */
  | {
      readonly kind: 'damage';
      readonly position: number;
      readonly expected: string;
      readonly found: string;
    };

/**
 * The batches of a file that somebody may be appending to, up to the end it had when the walk began. Sizes and
 * magic are looked at, CRCs are not: a batch that fails its CRC is handed out and the walk goes on behind it, as in
 * kafka-dump-log; recovery, which stops there, is `scanBatches`.
 */
export async function* walkSegment(file: FileHandle): AsyncGenerator<SegmentStep> {
  const window = new FileWindow(file);
  const endPosition = await file.sizeBytes();
  for (let position = 0; position < endPosition; ) {
    const head = await window.at(position, BATCH_HEADER_BYTES);
    if (head.length < BATCH_HEADER_BYTES) {
      yield { kind: 'incomplete', position, wantedBytes: BATCH_HEADER_BYTES, leftBytes: head.length };
      return;
    }
    const sizeBytes = batchSizeBytes(head);
    const damage = damageOf(head, sizeBytes);
    if (damage !== undefined) {
      yield { kind: 'damage', position, ...damage };
      return;
    }
    const bytes = await window.at(position, sizeBytes);
    if (bytes.length < sizeBytes) {
      yield { kind: 'incomplete', position, wantedBytes: sizeBytes, leftBytes: bytes.length };
      return;
    }
    yield { kind: 'batch', position, header: readBatchHeader(bytes), bytes };
    position += sizeBytes;
  }
}

function damageOf(head: Uint8Array, sizeBytes: number): { expected: string; found: string } | undefined {
  if (sizeBytes < BATCH_HEADER_BYTES)
    return { expected: `a batch of at least ${BATCH_HEADER_BYTES} bytes`, found: `${sizeBytes}` };
  if (sizeBytes > BATCH_BYTES_MAX)
    return { expected: `a batch of at most ${BATCH_BYTES_MAX} bytes`, found: `${sizeBytes}` };
  const magic = batchMagic(head);
  return magic === BATCH_MAGIC
    ? undefined
    : { expected: `a batch with magic ${BATCH_MAGIC}`, found: `${magic}` };
}

/** A stretch of the file in memory. What it does not hold is read anew, so that a short answer is the end as it is now. */
class FileWindow {
  readonly #file: FileHandle;
  #memory = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  #start = 0;
  #filled = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** `count` bytes from `position`, or as many as there are. */
  async at(position: number, count: number): Promise<Uint8Array> {
    const isHere = position >= this.#start && position + count <= this.#start + this.#filled;
    if (!isHere) {
      if (count > this.#memory.length) {
        // A length field may lie: no more memory than there is file.
        const left = Math.max(0, (await this.#file.sizeBytes()) - position);
        this.#memory = Buffer.allocUnsafeSlow(Math.min(count, Math.max(left, WINDOW_BYTES)));
      }
      this.#start = position;
      this.#filled = await this.#file.read(this.#memory, position);
    }
    const at = position - this.#start;
    return this.#memory.subarray(at, Math.min(at + count, this.#filled));
  }
}
