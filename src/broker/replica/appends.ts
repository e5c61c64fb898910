/**
 * The way of records into this broker's leaders: append all, then wait for what `acks` asks, once for the request.
 */
import { ApiError } from '../../base/index.ts';
import type { Timers } from '../../env/index.ts';
import type { Acks, PartitionRef, ProducePartitionReply } from '../../rpc/api/index.ts';
import { outcomeOf, refusal } from '../flow/outcome.ts';
import { PENDING_PRODUCE_BYTES_MAX, PENDING_PRODUCES_MAX } from './limits.ts';
import type { Partition } from './partition.ts';
import { PendingProduce } from './pending-produce.ts';

export interface AppendRequest {
  readonly acks: Acks;
  /** How long to wait for replicas. */
  readonly timeoutMs: number;
  readonly batches: readonly (PartitionRef & { readonly batch: Uint8Array })[];
}

export interface AppendsOptions {
  readonly timers: Timers;
  /** The replica here, or the ApiError that tells why there is none. */
  readonly find: (ref: PartitionRef) => Partition | ApiError;
  /** For what is no refusal: the log, or the end of the process. */
  readonly report: (error: unknown, what: string) => void;
}

export class Appends {
  readonly #options: AppendsOptions;
  readonly #pending = new Set<PendingProduce>();
  #pendingBytes = 0;

  constructor(options: AppendsOptions) {
    this.#options = options;
  }

  /** Requests that wait. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** One result per batch, in order. With acks=0 at once; refusals come as results, never thrown. */
  append(request: AppendRequest): Promise<ProducePartitionReply[]> {
    const pending = new PendingProduce(request.batches.length);
    const problem = this.#problem(request.acks);
    let openBytes = 0;
    for (const [index, item] of request.batches.entries()) {
      if (problem !== undefined) pending.refuse(index, item, outcomeOf(problem));
      else if (this.#appendOne(request.acks, item, pending, index)) openBytes += item.batch.length;
    }
    pending.seal((onTimeout) => this.#options.timers.after(Math.max(0, request.timeoutMs), onTimeout));
    if (pending.openCount > 0) this.#track(pending, openBytes);
    return pending.done;
  }

  /** Answers everything that waits; nothing is appended any more as far as this class is asked. */
  close(): void {
    for (const pending of this.#pending)
      pending.abandon(refusal('NOT_LEADER_OR_FOLLOWER', 'the broker is stopping'));
  }

  /** True when the batch was appended and its acknowledgement is still open. */
  #appendOne(
    acks: Acks,
    item: PartitionRef & { readonly batch: Uint8Array },
    pending: PendingProduce,
    index: number,
  ): boolean {
    const partition = this.#options.find(item);
    if (partition instanceof ApiError) {
      pending.refuse(index, item, outcomeOf(partition));
      return false;
    }
    try {
      const appended = partition.append(item.batch, acks);
      pending.open(index, partition, appended);
      if (acks === 0) pending.acknowledge(index, { replicas: [], synced: false });
      else partition.awaitAck(acks, appended.lastOffset, pending, index);
    } catch (error) {
      if (!(error instanceof ApiError)) this.#options.report(error, 'append failed');
      pending.refuse(index, item, outcomeOf(error));
    }
    return !pending.isDone(index);
  }

  #problem(acks: number): ApiError | undefined {
    if (acks !== 0 && acks !== 1 && acks !== -1) return new ApiError('INVALID_REQUIRED_ACKS');
    if (this.#pending.size >= PENDING_PRODUCES_MAX || this.#pendingBytes >= PENDING_PRODUCE_BYTES_MAX)
      return new ApiError(
        'RESOURCE_EXHAUSTED',
        'too many produce requests wait for their replicas; try again',
      );
    return undefined;
  }

  #track(pending: PendingProduce, bytes: number): void {
    this.#pending.add(pending);
    this.#pendingBytes += bytes;
    pending.done.then(() => {
      this.#pending.delete(pending);
      this.#pendingBytes -= bytes;
    });
  }
}
