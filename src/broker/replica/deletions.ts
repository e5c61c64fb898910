/**
 * Deletions of records that this broker leads: readers miss the records at once, the answer waits until the low watermark
 * has passed them, until its time is over, or until the leadership is gone.
 *
 * What was begun is never refused by an error that promises the opposite: the records are gone here already, and another
 * leader may have taken that over or not. Doing it again is harmless.
 * Source: Kafka's ReplicaManager.deleteRecords and DelayedDeleteRecords.
 */
import { ApiError, NONE } from '../../base/index.ts';
import type { Timers } from '../../env/index.ts';
import type { DeletedRecords, DeleteRecordsPartition, Outcome, PartitionRef } from '../../rpc/api/index.ts';
import { outcomeOf, refusal } from '../flow/outcome.ts';
import { notLeaderText } from './core/role-texts.ts';
import { PENDING_DELETIONS_MAX } from './limits.ts';
import type { Deletion } from './log-start.ts';
import type { Partition } from './partition.ts';
import type { PartitionListener } from './partition-listeners.ts';

export interface DeletionsOptions {
  readonly timers: Timers;
  /** The replica here, or the ApiError that tells why there is none. */
  readonly find: (ref: PartitionRef) => Partition | ApiError;
  readonly report: (error: unknown, what: string) => void;
}

export class Deletions {
  readonly #options: DeletionsOptions;
  /** Ends the wait of each. */
  readonly #pending = new Set<(outcome: Outcome) => void>();

  constructor(options: DeletionsOptions) {
    this.#options = options;
  }

  /** Partitions that wait. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** One reply per partition, in order; never rejects for a refusal. */
  delete(partitions: readonly DeleteRecordsPartition[], timeoutMs: number): Promise<DeletedRecords[]> {
    return Promise.all(partitions.map((one) => this.#deleteOne(one, timeoutMs)));
  }

  close(): void {
    for (const end of [...this.#pending]) end(refusal('REQUEST_TIMED_OUT', 'the broker is stopping'));
  }

  async #deleteOne(item: DeleteRecordsPartition, timeoutMs: number): Promise<DeletedRecords> {
    try {
      if (this.#pending.size >= PENDING_DELETIONS_MAX)
        throw new ApiError('RESOURCE_EXHAUSTED', 'too many deletions wait for their replicas; try again');
      const partition = this.#options.find(item);
      if (partition instanceof ApiError) throw partition;
      const deletion = partition.logStart.deleteBefore(item.beforeOffset);
      const outcome = await this.#wait(partition, deletion, timeoutMs);
      const lowWatermark = outcome.error === 'NONE' ? partition.logStart.lowWatermark : NONE;
      return { ...outcome, ...refOf(item), lowWatermark };
    } catch (error) {
      if (!(error instanceof ApiError)) this.#options.report(error, 'deleting records failed');
      return { ...outcomeOf(error), ...refOf(item), lowWatermark: NONE };
    }
  }

  #wait(partition: Partition, { offset, saved }: Deletion, timeoutMs: number): Promise<Outcome> {
    const { state, logStart } = partition;
    return new Promise((resolve) => {
      const end = (outcome: Outcome): void => {
        if (!this.#pending.delete(end)) return;
        timer.cancel();
        partition.unsubscribe(listener);
        resolve(outcome);
      };
      const look = (): void => {
        if (!state.isLeader)
          end(refusal('REQUEST_TIMED_OUT', `${notLeaderText(partition.name, state)}; try there`));
        else if (logStart.lowWatermark >= offset) end({ error: 'NONE' });
      };
      const listener: PartitionListener = { handlePartitionChange: look };
      const timer = this.#options.timers.after(Math.max(0, timeoutMs), () =>
        end(refusal('REQUEST_TIMED_OUT', missingText(partition, offset))),
      );
      this.#pending.add(end);
      partition.subscribe(listener);
      saved.catch((error: unknown) => end(outcomeOf(error)));
      look();
    });
  }
}

function missingText({ name, logStart }: Partition, offset: number): string {
  const ids = logStart.brokersBelow(offset);
  const who = ids.length === 1 ? `broker ${ids[0]} has` : `brokers ${ids.join(', ')} have`;
  return `readers of ${name} begin at offset ${offset} or later now, but ${who} not yet deleted what is below it`;
}

function refOf({ topic, partition }: PartitionRef): PartitionRef {
  return { topic, partition };
}
