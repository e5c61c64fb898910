/**
 * Keeps at most so many segment files open, over all logs of a broker, active ones included. A file is opened when it is
 * needed and closed when room is needed, the least recently used first, so that the number of partitions is not bound by
 * that of file descriptors.
 *
 * Laws: a segment in use is never closed. What was written and not synced is synced before its file is closed: a handle
 * that is opened later may not hear of a write that failed ("PostgreSQL's fsync() surprise", 2018). When that sync fails
 * the log is told. Who finds no room waits; nobody may hold a segment while waiting for a
 * second one, but a few (a cleaner) against a limit of hundreds.
 */
import { assert, EnvironmentError } from '../../base/index.ts';
import type { FileHandle, Files } from '../../env/index.ts';
import { Deque } from '../append/deque.ts';
import { ReadAhead } from '../read/read-ahead.ts';
import type { Segment } from './segment.ts';
import type { SegmentIndex } from './segment-index.ts';

interface Slot {
  /** Tasks that run on it, and its own eviction. */
  users: number;
  /** Tells the log that a sync failed. */
  readonly fail: (error: unknown) => void;
}

/** How a segment is to be used. */
export interface SegmentUse {
  readonly indexIntervalBytes: number;
  /** Called when what was written to the segment turns out to be lost. */
  readonly fail: (error: unknown) => void;
}

export class SegmentPool {
  /** What readers of the files have in memory of them. */
  readonly readAhead = new ReadAhead();
  readonly #files: Files;
  readonly #limit: number;
  /** In the order of use, the latest last. */
  readonly #open = new Map<Segment, Slot>();
  readonly #waiting = new Deque<() => void>();
  #evicting = 0;
  #closing = 0;

  /** `limit`: at least 1. */
  constructor(files: Files, limit: number) {
    assert(limit >= 1, 'a pool has room for a segment', { limit });
    this.#files = files;
    this.#limit = limit;
  }

  /** Files that are open now. */
  get openCount(): number {
    return this.#open.size + this.#closing;
  }

  /** Runs `task` with the file and index of the segment, opening them when needed. */
  async use<T>(
    segment: Segment,
    how: SegmentUse,
    task: (handle: FileHandle, index: SegmentIndex) => Promise<T>,
  ): Promise<T> {
    const slot = this.#enter(segment, how) ?? (await this.#enterLater(segment, how));
    try {
      if (segment.handle === undefined || segment.index === undefined)
        await segment.load(this.#files, how.indexIntervalBytes);
      const { handle, index } = segment;
      // Its log has closed it while it was opened.
      if (handle === undefined || index === undefined)
        throw new EnvironmentError('closed', segment.logPath, `${segment.logPath} has left its log`);
      return await task(handle, index);
    } finally {
      this.#leave(slot);
    }
  }

  /** Makes the file of a new segment; a leftover of a crash, never counted, is emptied. */
  async create(segment: Segment, how: SegmentUse): Promise<void> {
    const slot = this.#enter(segment, how) ?? (await this.#enterLater(segment, how));
    try {
      await segment.create(this.#files);
    } finally {
      this.#leave(slot);
    }
  }

  /** The segment goes, with its log or from it: its owner closes it. */
  forget(segment: Segment): void {
    this.#open.delete(segment);
    this.#admit();
  }

  #enter(segment: Segment, { fail }: SegmentUse): Slot | undefined {
    const known = this.#open.get(segment);
    if (known === undefined && this.openCount >= this.#limit) return undefined;
    const slot = known ?? { users: 0, fail };
    slot.users++;
    this.#open.delete(segment);
    this.#open.set(segment, slot);
    return slot;
  }

  async #enterLater(segment: Segment, how: SegmentUse): Promise<Slot> {
    for (;;) {
      const room = new Promise<void>((resolve) => this.#waiting.push(resolve));
      this.#makeRoom();
      await room;
      const slot = this.#enter(segment, how);
      // One that came in between took the room.
      if (slot === undefined) continue;
      // Another user of it has brought it in meanwhile: the room is the next one's.
      this.#admit();
      return slot;
    }
  }

  #leave(slot: Slot): void {
    slot.users--;
    if (slot.users === 0 && this.#waiting.length > 0) this.#makeRoom();
  }

  /** Wakes as many as there is room for. */
  #admit(): void {
    const room = Math.min(this.#limit - this.openCount, this.#waiting.length);
    if (room <= 0) return;
    const woken = Array.from({ length: room }, (_, i) => this.#waiting.at(i));
    this.#waiting.dropFront(room);
    for (const wake of woken) wake();
  }

  /** First of those that need no sync: the writer of another is about to sync it, unless it leaves that to the system. */
  #makeRoom(): void {
    let missing = this.#waiting.length - this.#evicting - this.#closing;
    for (const needsSync of [false, true])
      for (const [segment, slot] of this.#open) {
        if (missing <= 0) return;
        if (slot.users > 0 || segment.mustSync !== needsSync) continue;
        missing--;
        void this.#evict(segment, slot);
      }
  }

  async #evict(segment: Segment, slot: Slot): Promise<void> {
    if (segment.mustSync) {
      slot.users++;
      this.#evicting++;
      await segment.sync().catch(slot.fail);
      this.#evicting--;
      slot.users--;
      // Used again meanwhile: then it is not the least recently used any more.
      if (slot.users > 0 || segment.mustSync || this.#open.get(segment) !== slot) return this.#makeRoom();
    }
    this.#open.delete(segment);
    this.#closing++;
    // Nothing unsynced is lost with a close that fails.
    await segment.close().catch(() => {});
    this.#closing--;
    this.#admit();
  }
}
