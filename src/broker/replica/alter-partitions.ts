/**
 * Asks the controller for changes of in-sync sets: one request in flight per broker, carrying every partition that waits.
 *
 * A change is asked for until it is answered. A call that fails as a whole may have been applied, so it is repeated as it
 * is, never given up; a change that metadata resolved meanwhile is dropped before sending. Members are named with the
 * incarnation that was judged: one that restarted since, perhaps with an empty disk, is for the controller to refuse.
 * Source: KIP-497, KIP-903.
 */
import { type BrokerEpoch, NONE, type NodeId } from '../../base/index.ts';
import type { Timer, Timers } from '../../env/index.ts';
import type {
  AlteredPartition,
  AlterPartition,
  AlterPartitionReply,
  AlterPartitionRequest,
} from '../../rpc/api/index.ts';
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

/** A change that was asked for, in the words of the moment it was decided. */
interface Change {
  readonly partition: Partition;
  readonly isr: IsrState;
  readonly request: AlterPartition;
}

export class AlterPartitions {
  readonly #options: AlterPartitionsOptions;
  /** By partition; at most one each. */
  readonly #waiting = new Map<Partition, Change>();
  #state: 'idle' | 'scheduled' | 'in-flight' | 'closed' = 'idle';
  #retry: Timer | undefined;

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
    const request = toAlterPartition(partition.state, partition, this.#options.brokerEpoch());
    this.#waiting.set(partition, { partition, isr: partition.state.isr, request });
    if (this.#state !== 'idle') return;
    this.#state = 'scheduled';
    queueMicrotask(() => this.#flush());
  }

  close(): void {
    this.#state = 'closed';
    this.#retry?.cancel();
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
    const partitions = sent.map(({ request }) => request);
    this.#options.send({ brokerId: this.#options.nodeId, brokerEpoch, partitions }).then(
      (reply) => this.#handleReply(sent, reply),
      (error: unknown) => this.#handleFailure(sent, error),
    );
  }

  #take(): Change[] {
    const sent: Change[] = [];
    for (const [partition, change] of this.#waiting) {
      if (sent.length >= ALTER_PARTITIONS_MAX) break;
      this.#waiting.delete(partition);
      const { state } = partition;
      if (state.isLeader && state.isr === change.isr && change.isr.kind !== 'committed') sent.push(change);
    }
    return sent;
  }

  #handleReply(sent: readonly Change[], reply: AlterPartitionReply): void {
    if (this.#state === 'closed') return;
    let mustRetry = false;
    for (const [index, change] of sent.entries()) {
      const { partition, isr } = change;
      const answer = reply.partitions[index] ?? unanswered(partition);
      if (partition.handleAlterReply(isr, answer) !== 'retry') continue;
      this.#waiting.set(partition, change);
      mustRetry = true;
    }
    this.#next(mustRetry ? RETRY_MS : 0);
  }

  #handleFailure(sent: readonly Change[], error: unknown): void {
    if (this.#state === 'closed') return;
    this.#options.report(error, 'the in-sync set could not be changed yet');
    for (const change of sent)
      if (!this.#waiting.has(change.partition)) this.#waiting.set(change.partition, change);
    this.#next(RETRY_MS);
  }

  #next(delayMs: number): void {
    this.#state = 'scheduled';
    if (delayMs === 0) this.#flush();
    else this.#retry = this.#options.timers.after(delayMs, () => this.#flush());
  }
}

function unanswered({ topicId, partition }: Partition): AlteredPartition {
  const nothing = { leaderId: NONE, leaderEpoch: NONE, partitionEpoch: NONE, isr: [] };
  return { error: 'UNKNOWN_SERVER_ERROR', topicId, partition, ...nothing, leaderRecoveryState: 'recovered' };
}
