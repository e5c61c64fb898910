import { ApiError, type Offset, type TopicPartition, topicPartitionKey } from '../../base/index.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { ConsumedBatch, ConsumedRecord } from './consumed-record.ts';
import { Cursor } from './cursor.ts';
import { Fetcher } from './fetcher.ts';
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, listOffsets } from './list-offsets.ts';
import { type ConsumerConfig, type ConsumerOptions, consumerConfig, type StartPosition } from './options.ts';
import { PartitionState } from './partition-state.ts';

/** A partition and an offset of it. */
export interface PositionedPartition extends TopicPartition {
  readonly offset: Offset;
}

/**
 * Reads partitions, in offset order within each. `for await (const record of consumer)` goes on for ever;
 * `untilEnd()` stops where the log ends now; `batches()` gives arrays and is several times faster.
 *
 * One reader at a time. Leaving a loop keeps the place: the next loop goes on there. Errors are {@link
 * ApiError}; what passes by itself (elections, broken connections) is waited out.
 */
export class Consumer implements AsyncIterable<ConsumedRecord>, AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #options: ConsumerOptions;
  readonly #config: ConsumerConfig;
  readonly #onClosed: (consumer: Consumer) => void;
  readonly #states: PartitionState[] = [];
  #opening: Promise<void> | undefined;
  #fetcher: Fetcher | undefined;
  readonly #cursor: Cursor;
  #error: ApiError | undefined;
  #closed = false;
  #waiters: (() => void)[] = [];
  readonly #abort = (): void => void this.close();

  /** Use `client.consumer()`. */
  constructor(cluster: Cluster, options: ConsumerOptions, onClosed: (consumer: Consumer) => void) {
    this.#cluster = cluster;
    this.#options = options;
    this.#config = consumerConfig(options);
    this.#onClosed = onClosed;
    this.#cursor = new Cursor(this.#states, this.#config.maxPollRecords, () => this.#fetcher?.wake());
    if (options.signal?.aborted) this.#closed = true;
    options.signal?.addEventListener('abort', this.#abort, { once: true });
  }

  /**
   * Resolves when every partition has found its position: with from 'end', what is sent later will be read.
   */
  async ready(): Promise<void> {
    await this.#open();
    while (!this.#closed && this.#states.some((state) => state.start !== undefined)) await this.#progress();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumedRecord> {
    return this.#iterate(() => this.#cursor.takeRecord());
  }

  /** Arrays of records of one partition each, at most `maxPollRecords`. */
  batches(): AsyncIterableIterator<ConsumedBatch> {
    return this.#iterate(() => this.#cursor.takeBatch());
  }

  /** Records up to the end of each partition as it is at this call, then stops. */
  untilEnd(): AsyncIterableIterator<ConsumedRecord> {
    return this.#iterate(() => this.#cursor.takeRecord(), this.#limit());
  }

  /** {@link untilEnd} in arrays. */
  batchesUntilEnd(): AsyncIterableIterator<ConsumedBatch> {
    return this.#iterate(() => this.#cursor.takeBatch(), this.#limit());
  }

  /** The partitions it reads. */
  async assignment(): Promise<readonly TopicPartition[]> {
    await this.#open();
    return this.#states.map(({ topic, partition }) => ({ topic, partition }));
  }

  /** Reading goes on elsewhere: in one partition, or in all of them. */
  async seek(to: StartPosition, partition?: TopicPartition): Promise<void> {
    await this.#open();
    for (const state of this.#chosen(partition)) {
      if (typeof to === 'object' && 'offset' in to) state.moveTo(to.offset);
      else state.restart(to);
    }
    this.#error = undefined;
    this.#fetcher?.wake();
  }

  /** Gives nothing of these partitions (default: all) until resumed. */
  async pause(partition?: TopicPartition): Promise<void> {
    await this.#open();
    for (const state of this.#chosen(partition)) state.paused = true;
  }

  async resume(partition?: TopicPartition): Promise<void> {
    await this.#open();
    for (const state of this.#chosen(partition)) state.paused = false;
    this.#fetcher?.wake();
    this.#notify();
  }

  /** Offset of the next record this reader gets from the partition. */
  async position(partition: TopicPartition): Promise<Offset> {
    await this.ready();
    const [state] = this.#chosen(partition);
    if (state === undefined) return -1;
    return this.#cursor.positionOf(state);
  }

  /** First offset of each partition. */
  async beginningOffsets(): Promise<readonly PositionedPartition[]> {
    return this.#offsets(EARLIEST_TIMESTAMP);
  }

  /** Offset after the last record that may be read, of each partition. */
  async endOffsets(): Promise<readonly PositionedPartition[]> {
    return this.#offsets(LATEST_TIMESTAMP);
  }

  /** Records between position and end, of all partitions together. */
  async lag(): Promise<number> {
    const ends = await this.endOffsets();
    const positions = await Promise.all(ends.map((end) => this.position(end)));
    return ends.reduce((sum, end, index) => sum + Math.max(0, end.offset - (positions[index] ?? 0)), 0);
  }

  /** Ends a loop that runs. */
  async close(): Promise<void> {
    if (this.#closed && this.#fetcher === undefined) return;
    this.#closed = true;
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#fetcher?.close();
    this.#fetcher = undefined;
    this.#notify();
    this.#onClosed(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open(): Promise<void> {
    this.#opening ??= this.#assign().catch((error: unknown) => {
      this.#opening = undefined;
      // Whoever closed it does not want to hear what that cut short.
      if (!this.#closed) throw error;
    });
    return this.#opening;
  }

  async #assign(): Promise<void> {
    const { topic, partitions, assignment, from = 'end', signal } = this.#options;
    if (this.#closed) return;
    const wanted = assignment ?? (partitions ?? []).map((partition) => ({ topic: topic ?? '', partition }));
    const names = new Set(assignment === undefined ? [topic ?? ''] : assignment.map((one) => one.topic));
    const states: PartitionState[] = [];
    for (const name of names) {
      const { partitions: known } = await this.#cluster.topic(name, this.#config.requestTimeoutMs, signal);
      const mine = wanted.filter((one) => one.topic === name);
      const all = assignment === undefined && partitions === undefined;
      for (const one of all ? known.map((_, partition) => ({ topic: name, partition })) : mine) {
        if (one.partition >= known.length || one.partition < 0)
          throw new ApiError(
            'UNKNOWN_TOPIC_OR_PARTITION',
            `${name} has partitions 0 to ${known.length - 1}, not ${one.partition}`,
          );
        states.push(new PartitionState(name, one.partition, ('from' in one ? one.from : undefined) ?? from));
      }
    }
    if (this.#closed) return;
    this.#states.push(...states);
    this.#fetcher = new Fetcher(this.#cluster, this.#config, this.#states, {
      onProgress: () => this.#notify(),
      onFailure: (error) => {
        this.#error = error;
        this.#notify();
      },
    });
    this.#fetcher.wake();
  }

  async #limit(): Promise<void> {
    await this.#open();
    for (const end of this.#closed ? [] : await this.endOffsets()) {
      for (const state of this.#chosen(end)) state.limit = end.offset;
    }
  }

  /** Leaving the loop early just stops the calls of `next`: the place is the cursor's. */
  #iterate<T>(take: () => T | undefined, limits?: Promise<void>): AsyncIterableIterator<T> {
    const wait = async (): Promise<IteratorResult<T>> => {
      await limits;
      const value = await this.#await(take, limits !== undefined);
      if (value !== undefined) return { done: false, value };
      ended = true;
      return END;
    };
    let ended = false;
    if (limits === undefined) for (const state of this.#states) state.clearLimit();
    limits?.catch(() => {});
    return {
      next: () => {
        if (ended) return Promise.resolve(END);
        try {
          const value = this.#closed || this.#opening === undefined ? undefined : take();
          return value === undefined ? wait() : Promise.resolve({ done: false, value });
        } catch (error) {
          return Promise.reject(error);
        }
      },
      return: () => {
        ended = true;
        return Promise.resolve(END);
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Waits for something to take; undefined: there will be nothing. */
  async #await<T>(take: () => T | undefined, limited: boolean): Promise<T | undefined> {
    await this.#open();
    while (!this.#closed) {
      const value = take();
      if (value !== undefined) return value;
      if (this.#error !== undefined) throw this.#error;
      if (limited && this.#cursor.isAtLimit) {
        for (const state of this.#states) state.clearLimit();
        return undefined;
      }
      await this.#progress();
    }
    return undefined;
  }

  #progress(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  #notify(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }

  #chosen(partition: TopicPartition | undefined): PartitionState[] {
    if (partition === undefined) return this.#states;
    const found = this.#states.filter(
      (state) => state.topic === partition.topic && state.partition === partition.partition,
    );
    if (found.length > 0 || this.#closed) return found;
    throw new ApiError(
      'UNKNOWN_TOPIC_OR_PARTITION',
      `${topicPartitionKey(partition.topic, partition.partition)} is not assigned to this consumer`,
    );
  }

  async #offsets(timestampMs: number): Promise<readonly PositionedPartition[]> {
    await this.#open();
    const questions = this.#states.map(({ topic, partition }) => ({ topic, partition, timestampMs }));
    const { isolation, requestTimeoutMs: timeoutMs } = this.#config;
    const { signal } = this.#options;
    const answers = await listOffsets(this.#cluster, questions, { isolation, timeoutMs, signal });
    return answers.map(({ topic, partition, offset }) => ({ topic, partition, offset }));
  }
}

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };
