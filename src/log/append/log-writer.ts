/**
 * Carries appends of one log to its file, in groups: what arrived while a write was under way goes out in
 * the next one, and what was written while a sync was under way is covered by the next one. Writes and
 * syncs overlap.
 *
 * Laws: flushed <= written <= end of the log. `flushed` counts only what a sync that began after the write
 * has covered, and only with the leader epochs of it on disk. A segment begins in its file after the one
 * before it is durable, so all but the last segment of a log are whole whatever happens. A completion of
 * before a truncation moves nothing: generations differ (Redpanda #16105). After the first failure nothing
 * is tried again, for what is on disk is then unknown.
 */
import { assert, type Offset } from '../../base/index.ts';
import type { EpochCheckpoint } from '../epoch/epoch-checkpoint.ts';
import type { Segment } from '../segment/segment.ts';
import { Deque } from './deque.ts';
import { Progress } from './progress.ts';

/** Most bytes of one write; more wait for the next, so that no acknowledgement waits for an endless one. */
const GROUP_BYTES_MAX = 1 * 1024 * 1024;

const NOTHING = new Uint8Array(0);

interface PendingWrite {
  readonly segment: Segment;
  readonly bytes: Uint8Array;
  /** Exclusive. */
  readonly endOffset: Offset;
}

export interface WriterPorts {
  readonly epochs: EpochCheckpoint;
  /** Appends to the file of a segment. */
  readonly write: (segment: Segment, buffers: readonly Uint8Array[]) => Promise<void>;
  /** Makes what was written to a segment durable. */
  readonly sync: (segment: Segment) => Promise<void>;
  /** True: flushed follows written without a sync. */
  readonly writeCaching: () => boolean;
  /** `closed` is durable; its indexes are saved and it may be let go of. */
  readonly retire: (closed: Segment) => Promise<void>;
  /** Makes the file of a new segment, durably. */
  readonly create: (segment: Segment) => Promise<void>;
  readonly onProgress: () => void;
  /** Called once. */
  readonly onFailure: (error: unknown) => void;
}

export class LogWriter {
  readonly written: Progress;
  readonly flushed: Progress;
  readonly #ports: WriterPorts;
  readonly #pending = new Deque<PendingWrite>();
  #segment: Segment;
  /** Below it a sync has covered everything; differs from flushed with write caching. */
  #syncedOffset: Offset;
  #generation = 0;
  #writing = false;
  #syncing = false;
  #failed = false;
  #idleWaiters: (() => void)[] = [];

  constructor(ports: WriterPorts, segment: Segment, endOffset: Offset) {
    this.#ports = ports;
    this.#segment = segment;
    this.written = new Progress(endOffset);
    this.flushed = new Progress(endOffset);
    this.#syncedOffset = endOffset;
  }

  get syncedOffset(): Offset {
    return this.#syncedOffset;
  }

  /** `bytes` follow what was given before and must not change any more. */
  enqueue(segment: Segment, bytes: Uint8Array, endOffset: Offset): void {
    this.#pending.push({ segment, bytes, endOffset });
    if (this.#writing || this.#failed) return;
    this.#writing = true;
    void this.#writeAll();
  }

  /** `segment` begins at the end of the log, before anything is appended to it. */
  begin(segment: Segment, endOffset: Offset): void {
    this.enqueue(segment, NOTHING, endOffset);
  }

  /** Resolves when nothing is under way and nothing waits. Also after a failure. */
  async idle(): Promise<void> {
    while (this.#writing || this.#syncing) {
      await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    }
  }

  /** Syncs what write caching left to the system. The writer must be idle. */
  async syncAll(): Promise<void> {
    assert(!this.#writing && !this.#syncing, 'a full sync needs an idle writer');
    if (this.#failed) return;
    await this.#attempt(async () => {
      await this.#ports.sync(this.#segment);
      this.#syncedOffset = this.written.offset;
    });
  }

  /**
   * The log ends at `offset` now: later bytes that wait are dropped, running completions count for nothing.
   */
  retreat(offset: Offset, reason: Error): void {
    this.#generation++;
    let keep = this.#pending.length;
    while (keep > 0 && this.#pending.at(keep - 1).endOffset > offset) keep--;
    this.#pending.keepFront(keep);
    this.written.retreat(offset, reason);
    this.flushed.retreat(offset, reason);
    this.#syncedOffset = Math.min(this.#syncedOffset, offset);
  }

  /**
   * The files hold exactly the log up to `offset`, durably; appends go on in `segment`. The writer must be
   * idle.
   */
  restart(segment: Segment, offset: Offset): void {
    assert(!this.#writing && !this.#syncing && this.#pending.length === 0, 'a writer restarts when idle');
    this.#segment = segment;
    this.written.advance(offset);
    this.flushed.advance(offset);
    this.#syncedOffset = offset;
  }

  /** Turns away who waits, now and later; running operations end unheard. */
  fail(reason: Error): void {
    this.#failed = true;
    this.#generation++;
    this.#pending.keepFront(0);
    this.written.fail(reason);
    this.flushed.fail(reason);
  }

  async #writeAll(): Promise<void> {
    // What is appended in the same turn joins the group.
    await undefined;
    while (this.#pending.length > 0 && !this.#failed) {
      if (this.#pending.at(0).segment !== this.#segment) await this.#roll();
      else if (await this.#writeGroup()) this.#progressed();
    }
    this.#writing = false;
    this.#wakeIdle();
  }

  /** True when `written` moved. */
  async #writeGroup(): Promise<boolean> {
    const segment = this.#segment;
    const buffers: Uint8Array[] = [];
    let bytes = 0;
    let endOffset = this.written.offset;
    while (buffers.length < this.#pending.length && bytes < GROUP_BYTES_MAX) {
      const next = this.#pending.at(buffers.length);
      if (next.segment !== segment) break;
      buffers.push(next.bytes);
      bytes += next.bytes.length;
      endOffset = next.endOffset;
    }
    this.#pending.dropFront(buffers.length);
    const generation = this.#generation;
    if (bytes > 0 && !(await this.#attempt(() => this.#ports.write(segment, buffers)))) return false;
    segment.writtenBytes += bytes;
    if (generation !== this.#generation) return false;
    this.written.advance(endOffset);
    return true;
  }

  async #roll(): Promise<void> {
    const closed = this.#segment;
    await this.#syncingEnds();
    // A cut may have dropped what was to go there. Then what is synced is not known to be all of `closed`.
    if (this.#failed || this.#pending.length === 0) return;
    const next = this.#pending.at(0).segment;
    if (next === closed) return;
    const generation = this.#generation;
    await this.#attempt(async () => {
      // From here on recovery takes the epochs of `closed` from their file.
      await this.#ports.epochs.settled();
      await this.#ports.sync(closed);
      await this.#ports.retire(closed);
      await this.#ports.create(next);
    });
    this.#segment = next;
    if (generation === this.#generation) this.#syncedOffset = this.written.offset;
  }

  /** What was written calls for a sync, or counts as flushed without one. */
  #progressed(): void {
    if (!this.#syncing && !this.#flushedByCaching()) {
      this.#syncing = true;
      void this.#syncAllWritten();
    }
    this.#ports.onProgress();
  }

  /** With write caching, and no leader epoch on its way to disk, nothing is left to wait for. */
  #flushedByCaching(): boolean {
    if (!this.#ports.writeCaching() || this.#ports.epochs.isDirty) return false;
    this.flushed.advance(this.written.offset);
    return true;
  }

  async #syncAllWritten(): Promise<void> {
    while (this.flushed.offset < this.written.offset && !this.#failed) {
      const target = this.written.offset;
      const generation = this.#generation;
      const caching = this.#ports.writeCaching();
      const done = await this.#attempt(() => this.#makeDurable(caching));
      if (!done || generation !== this.#generation) continue;
      if (!caching) this.#syncedOffset = target;
      this.flushed.advance(target);
      this.#ports.onProgress();
    }
    this.#syncing = false;
    this.#wakeIdle();
  }

  async #makeDurable(caching: boolean): Promise<void> {
    const saving = this.#ports.epochs.settled();
    saving?.catch(() => {});
    if (!caching) await this.#ports.sync(this.#segment);
    if (saving !== undefined) await saving;
  }

  async #syncingEnds(): Promise<void> {
    while (this.#syncing) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** False when it failed: then the log is over. */
  async #attempt(operation: () => Promise<void>): Promise<boolean> {
    try {
      await operation();
      return true;
    } catch (error) {
      if (!this.#failed) this.#ports.onFailure(error);
      return false;
    }
  }

  #wakeIdle(): void {
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const wake of waiters) wake();
  }
}
