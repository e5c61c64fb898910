/**
 * The compressed batch that the last plain reply ended inside of, still open: who goes on there need not inflate it
 * again and walk to the place, which over a whole batch of tiny records would be quadratic.
 *
 * There is room for one, and it is let go before another is opened, so that what is in clear is never more than one
 * batch. Readers that come by turns open theirs anew each time.
 */
import type { Offset, PartitionId } from '../../base/index.ts';
import { type BatchHeader, type BatchView, RecordCursor } from '../../log/record/index.ts';

/** Beyond it a batch is not kept: the memory is held until somebody reads on. */
const KEPT_BYTES_MAX = 12 * 1024 * 1024;

interface Place {
  readonly topic: string;
  readonly partition: PartitionId;
  readonly fetchOffset: Offset;
}

interface Kept {
  readonly place: Place;
  readonly header: BatchHeader;
  /** Stands on the first record at or above the place. */
  readonly record: RecordCursor;
}

export class OpenedBatch {
  #kept: Kept | undefined;

  /** Stands on the first record at or above the place; undefined: there is none. Throws like RecordCursor. */
  open({ header, bytes }: BatchView, place: Place): RecordCursor | undefined {
    const isClear = header.codec === 'none';
    const kept = this.#kept;
    if (!isClear) {
      this.#kept = undefined;
      if (kept !== undefined && isSame(kept.place, place) && isSameBatch(kept.header, header))
        return kept.record;
    }
    const record = RecordCursor.open(bytes, header);
    while (record.next()) if (record.offset >= place.fetchOffset) return record;
    return undefined;
  }

  /** `record` stands on what is to be given next, to whoever asks for `place`. */
  keep(header: BatchHeader, place: Place, record: RecordCursor): void {
    if (header.codec !== 'none' && record.bytes.length <= KEPT_BYTES_MAX)
      this.#kept = { place, header, record };
  }
}

function isSame(one: Place, other: Place): boolean {
  return (
    one.fetchOffset === other.fetchOffset && one.partition === other.partition && one.topic === other.topic
  );
}

/** A topic may be deleted and made again, or be compacted, between two requests. */
function isSameBatch(one: BatchHeader, other: BatchHeader): boolean {
  return one.baseOffset === other.baseOffset && one.crc === other.crc && one.sizeBytes === other.sizeBytes;
}
