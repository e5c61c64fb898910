import type { Offset } from '../../base/index.ts';
import type { FileHandle, Files } from '../../env/index.ts';
import type { BatchHeader } from '../record/index.ts';
import { Segment } from '../segment/segment.ts';
import { SegmentIndex } from '../segment/segment-index.ts';

/** Bytes that go out in one write. */
const WRITE_BYTES = 512 * 1024;

/** What a group of segments becomes, while it is written under a name that nobody reads. */
export class CleanedFile {
  readonly index: SegmentIndex;
  readonly #handle: FileHandle;
  readonly #intervalBytes: number;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  sizeBytes = 0;
  /** After the last batch. */
  endOffset: Offset;

  private constructor(handle: FileHandle, baseOffset: Offset, intervalBytes: number) {
    this.#handle = handle;
    this.#intervalBytes = intervalBytes;
    this.index = new SegmentIndex(baseOffset);
    this.endOffset = baseOffset;
  }

  static async create(
    files: Files,
    path: string,
    baseOffset: Offset,
    intervalBytes: number,
  ): Promise<CleanedFile> {
    const handle = await files.open(path, 'create');
    try {
      await handle.truncate(0);
    } catch (error) {
      await handle.close().catch(() => {});
      await files.remove(path).catch(() => {});
      throw error;
    }
    return new CleanedFile(handle, baseOffset, intervalBytes);
  }

  /** `batch` follows the one before; its memory is copied. */
  append(header: BatchHeader, batch: Uint8Array): void {
    this.index.note(header, this.sizeBytes, this.#intervalBytes);
    this.#waiting.push(Buffer.from(batch));
    this.#waitingBytes += batch.length;
    this.sizeBytes += batch.length;
    this.endOffset = header.lastOffset + 1;
  }

  /** Writes what waits, once it is worth a call; resolves with the bytes written. */
  async drain(): Promise<number> {
    return this.#waitingBytes < WRITE_BYTES ? 0 : this.#write();
  }

  /** Durable, but for its name. */
  async finish(): Promise<void> {
    await this.#write();
    await this.#handle.sync();
    await this.#handle.close();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** The segment it will be once it has taken the name. */
  toSegment(files: Files, directory: string): Segment {
    const segment = new Segment(files, directory, this.index.baseOffset);
    segment.exists = true;
    segment.sizeBytes = this.sizeBytes;
    segment.writtenBytes = this.sizeBytes;
    segment.index = this.index;
    return segment;
  }

  async #write(): Promise<number> {
    const bytes = this.#waitingBytes;
    const buffers = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (bytes > 0) await this.#handle.write(buffers, this.sizeBytes - bytes);
    return bytes;
  }
}
