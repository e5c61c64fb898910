/**
 * Hands one listener what is committed: in order, exactly once, from offset 0, from memory or, further back, from the
 * store. Tells it that this node leads only when it has been handed everything below the start of the epoch.
 */
import type { Offset, QuorumEpoch } from '../../base/index.ts';
import type { RaftCore } from '../core/index.ts';
import type { QuorumListener } from './listener.ts';
import type { QuorumStorage } from './ports.ts';

/** Payload bytes handed over in one call. */
const FEED_BYTES_MAX = 1024 * 1024;

export interface Leading {
  readonly epoch: QuorumEpoch;
  readonly epochStartOffset: Offset;
}

export class Feed {
  readonly listener: QuorumListener;
  readonly #core: RaftCore;
  readonly #storage: QuorumStorage;
  readonly #onReadFailed: (error: unknown) => void;
  /** Handed over: `[0, nextOffset)`. */
  #nextOffset: Offset = 0;
  #isBusy = false;
  #isClosed = false;
  #leading: Leading | undefined;
  #toldLeading: QuorumEpoch | undefined;

  constructor(
    listener: QuorumListener,
    core: RaftCore,
    storage: QuorumStorage,
    onReadFailed: (error: unknown) => void,
  ) {
    this.listener = listener;
    this.#core = core;
    this.#storage = storage;
    this.#onReadFailed = onReadFailed;
  }

  /** Hands over what there is; goes on by itself after a read from the store. */
  pump(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (!this.#isClosed && this.#nextOffset < this.#core.highWatermark) {
      const entries = this.#core.readCommitted(this.#nextOffset, FEED_BYTES_MAX);
      if (entries === undefined) {
        this.#readStored();
        return;
      }
      this.#nextOffset += entries.length;
      this.listener.handleCommit(entries);
    }
    this.#isBusy = false;
    this.#maybeTellLeading();
  }

  handleLeading(leading: Leading): void {
    this.#leading = leading;
    this.pump();
  }

  handleNotLeading(): void {
    const told = this.#toldLeading;
    this.#leading = undefined;
    this.#toldLeading = undefined;
    if (told !== undefined) this.listener.handleNotLeading(told);
  }

  close(): void {
    this.#isClosed = true;
  }

  #readStored(): void {
    const to = Math.min(this.#core.tailStart, this.#core.highWatermark);
    this.#storage.read(this.#nextOffset, to, FEED_BYTES_MAX, (result) => {
      if (this.#isClosed) return;
      if (result.kind === 'failed') {
        this.#onReadFailed(result.error);
        return;
      }
      this.#nextOffset += result.entries.length;
      this.listener.handleCommit(result.entries);
      this.#isBusy = false;
      this.pump();
    });
  }

  #maybeTellLeading(): void {
    const leading = this.#leading;
    if (this.#isClosed || leading === undefined || this.#toldLeading !== undefined) return;
    if (this.#nextOffset <= leading.epochStartOffset) return;
    this.#toldLeading = leading.epoch;
    this.listener.handleLeading(leading.epoch);
  }
}
