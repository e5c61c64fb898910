/**
 * Produce requests that wait for records of one partition: for the write with acks=1, for the commit with acks=all.
 *
 * Everybody here appended in the present leader epoch; whoever changes the epoch fails them all first. A commit is answered
 * with the in-sync set it stands for, or with NOT_ENOUGH_REPLICAS_AFTER_APPEND when that has become too small.
 */
import type { NodeId } from '../../base/index.ts';
import type { PartitionLog } from '../../log/index.ts';
import type { Acks, Outcome } from '../../rpc/api/index.ts';
import { refusal } from '../flow/outcome.ts';
import type { PartitionState } from './core/partition-state.ts';
import { type OffsetWaiter, OffsetWaiters } from './offset-waiters.ts';

export class AckWaiters {
  readonly #log: PartitionLog;
  readonly #state: PartitionState;
  readonly #describeUnderMinIsr: () => string;
  readonly #alone: readonly NodeId[];
  readonly #written = new OffsetWaiters();
  readonly #committed = new OffsetWaiters();

  constructor(log: PartitionLog, state: PartitionState, describeUnderMinIsr: () => string) {
    this.#log = log;
    this.#state = state;
    this.#describeUnderMinIsr = describeUnderMinIsr;
    this.#alone = [state.nodeId];
  }

  add(acks: Acks, waiter: OffsetWaiter): void {
    const mustCommit = acks === -1;
    const reached = mustCommit ? this.#log.highWatermark : this.#log.writtenOffset;
    if (waiter.requiredOffset > reached) (mustCommit ? this.#committed : this.#written).add(waiter);
    else if (mustCommit) this.#acknowledgeCommitted(waiter);
    else this.#acknowledgeWritten(waiter);
  }

  handleWritten(): void {
    this.#written.complete(this.#log.writtenOffset, (waiter) => this.#acknowledgeWritten(waiter));
  }

  handleHighWatermark(): void {
    this.#committed.complete(this.#log.highWatermark, (waiter) => this.#acknowledgeCommitted(waiter));
  }

  /** Everybody gets `outcome`. */
  fail(outcome: Outcome): void {
    const fail = ({ request, index }: OffsetWaiter): void => request.fail(index, outcome);
    this.#written.drain(fail);
    this.#committed.drain(fail);
  }

  /** The request of one of the waiters gave up. */
  noteDead(): void {
    this.#committed.noteDead();
    this.#written.noteDead();
  }

  #acknowledgeWritten({ requiredOffset, request, index }: OffsetWaiter): void {
    request.acknowledge(index, { replicas: this.#alone, synced: this.#log.flushedOffset >= requiredOffset });
  }

  #acknowledgeCommitted({ request, index }: OffsetWaiter): void {
    const { isr, effectiveMinIsr, policy } = this.#state;
    if (isr.maximal.length < effectiveMinIsr)
      request.fail(index, refusal('NOT_ENOUGH_REPLICAS_AFTER_APPEND', this.#describeUnderMinIsr()));
    else request.acknowledge(index, { replicas: isr.maximal, synced: !policy.writeCaching });
  }
}
