import type { Offset } from '../../base/index.ts';
import { ApiError } from '../../base/index.ts';
import { type BatchView, RecordCursor } from '../record/index.ts';
import { KeyMap } from './core/key-map.ts';

/** The keys of [firstDirty, end) as they are read, batch by batch, until the memory is full. */
export class KeyMapBuilder {
  readonly map: KeyMap;
  readonly firstDirtyOffset: Offset;
  /** Exclusive: all records of [firstDirty, end) are in the map. */
  end: Offset;

  constructor(
    range: { readonly firstDirtyOffset: Offset; readonly endOffset: Offset },
    limitBytes: number,
    secret: Uint8Array,
  ) {
    this.firstDirtyOffset = range.firstDirtyOffset;
    this.end = range.firstDirtyOffset;
    this.map = new KeyMap(limitBytes, range.endOffset - range.firstDirtyOffset, secret);
  }

  /** False: it may not fit, and nothing of it was taken; the dirty section that is cleaned now ends before it. */
  add({ header, bytes }: BatchView): boolean {
    if (header.lastOffset < this.firstDirtyOffset) return true;
    const isOpaque = header.isControl || header.isTransactional;
    if (!isOpaque && header.count > 0) {
      if (header.count > this.map.room) return false;
      if (isReadable({ header, bytes })) this.#put({ header, bytes });
    }
    this.end = header.lastOffset + 1;
    return true;
  }

  /** What was not read below `offset` is no part of the log any more. */
  pass(offset: Offset): void {
    this.end = Math.max(this.end, offset);
  }

  #put({ header, bytes }: BatchView): void {
    const record = RecordCursor.open(bytes, header);
    while (record.next()) {
      if (record.keyStart < 0 || record.offset < this.firstDirtyOffset) continue;
      this.map.put(record.bytes, record.keyStart, record.keyEnd, record.offset);
    }
  }
}

/** Nothing of a batch that readers cannot read may replace what they can. */
function isReadable({ header, bytes }: BatchView): boolean {
  try {
    const record = RecordCursor.open(bytes, header);
    while (record.next());
    return true;
  } catch (error) {
    if (error instanceof ApiError) return false;
    throw error;
  }
}
