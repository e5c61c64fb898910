/**
 * Asks the controller for changes of in-sync sets: one request in flight per broker, carrying every partition that waits.
 *
 * A change is asked for until it is answered. A call that fails as a whole may have been applied, so it is repeated as it
 * is, never given up; a change that metadata resolved meanwhile is dropped before sending. Source: KIP-497.
 */
import { type BrokerEpoch, NONE, type NodeId } from '../../base/index.ts';
import type { Timers } from '../../env/index.ts';
import type { AlteredPartition, AlterPartitionReply, AlterPartitionRequest } from '../../rpc/api/index.ts';
import type { IsrState } from './core/isr.ts';
import { toAlterPartition } from './core/isr-change.ts';
import { ALTER_PARTITIONS_MAX } from './limits.ts';
import type { Partition } from './partition.ts';

export interface AlterPartitionsOptions {
  readonly nodeId: NodeId;
  readonly brokerEpoch: () => BrokerEpoch;
  readonly timers: Timers;
  readonly send: (request: AlterPartitionRequest) => Promise<AlterPartitionReply>;
  readonly report: (error: unknown, what: string) => void;
}

const RETRY_MS = 50;

export class AlterPartitions {
  readonly #options: AlterPartitionsOptions;
  /** The change that was asked for, by partition; at most one each. */
  #waiting = new Map<Partition, IsrState>();
  #state: 'idle' | 'scheduled' | 'in-flight' | 'closed' = 'idle';

  constructor(options: AlterPartitionsOptions) {
    this.#options = options;
  }

  /** Changes that wait to be sent. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Asks for the pending change of `partition`, soon, together with others of this moment. */
  submit(partition: Partition): void {
    if (this.#state === 'closed') return;
    this.#waiting.set(partition, partition.state.isr);
    if (this.#state !== 'idle') return;
    this.#state = 'scheduled';
    queueMicrotask(() => this.#flush());
  }

  close(): void {
    this.#state = 'closed';
    this.#waiting.clear();
  }

  #flush(): void {
    if (this.#state !== 'scheduled') return;
    const sent = this.#take();
    if (sent.length === 0) {
      this.#state = 'idle';
      return;
    }
    this.#state = 'in-flight';
    const brokerEpoch = this.#options.brokerEpoch();
    const partitions = sent.map(([partition]) => toAlterPartition(partition.state, partition, brokerEpoch));
    this.#options.send({ brokerId: this.#options.nodeId, brokerEpoch, partitions }).then(
      (reply) => this.#handleReply(sent, reply),
      (error: unknown) => this.#handleFailure(sent, error),
    );
  }

  #take(): [Partition, IsrState][] {
    const sent: [Partition, IsrState][] = [];
    for (const [partition, change] of this.#waiting) {
      if (sent.length >= ALTER_PARTITIONS_MAX) break;
      this.#waiting.delete(partition);
      if (partition.state.isLeader && partition.state.isr === change && change.kind !== 'committed')
        sent.push([partition, change]);
    }
    return sent;
  }

  #handleReply(sent: readonly [Partition, IsrState][], reply: AlterPartitionReply): void {
    if (this.#state === 'closed') return;
    let mustRetry = false;
    for (const [index, [partition, change]] of sent.entries()) {
      const answer = reply.partitions[index] ?? unanswered(partition);
      if (partition.handleAlterReply(change, answer) !== 'retry') continue;
      this.#waiting.set(partition, change);
      mustRetry = true;
    }
    this.#next(mustRetry ? RETRY_MS : 0);
  }

  #handleFailure(sent: readonly [Partition, IsrState][], error: unknown): void {
    if (this.#state === 'closed') return;
    this.#options.report(error, 'the in-sync set could not be changed yet');
    for (const [partition, change] of sent)
      if (!this.#waiting.has(partition)) this.#waiting.set(partition, change);
    this.#next(RETRY_MS);
  }

  #next(delayMs: number): void {
    this.#state = 'scheduled';
    if (delayMs === 0) this.#flush();
    else this.#options.timers.after(delayMs, () => this.#flush());
  }
}

function unanswered({ topicId, partition }: Partition): AlteredPartition {
  const nothing = { leaderId: NONE, leaderEpoch: NONE, partitionEpoch: NONE, isr: [] };
  return { error: 'UNKNOWN_SERVER_ERROR', topicId, partition, ...nothing, leaderRecoveryState: 'recovered' };
}
