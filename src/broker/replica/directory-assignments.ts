/**
 * Tells the controller where replicas live: one request in flight per broker, carrying every replica that waits.
 *
 * What is told is what holds when it is sent: a later word about a replica replaces an earlier one. It is said until it is
 * answered, since a call that fails may have been carried out or not; said twice it changes nothing. Whether there is
 * something to tell is the caller's to see, whenever metadata or a log change. Source: KIP-858's AssignmentsManager.
 */
import {
  type BrokerEpoch,
  type NodeId,
  type PartitionId,
  topicPartitionKey,
  type Uuid,
} from '../../base/index.ts';
import type { Timer, Timers } from '../../env/index.ts';
import { LOST_DIRECTORY } from '../../metadata/index.ts';
import type {
  AssignReplicasToDirsReply,
  AssignReplicasToDirsRequest,
  DirectoryAssignment,
} from '../../rpc/api/index.ts';

export interface DirectoryAssignmentsOptions {
  readonly nodeId: NodeId;
  readonly brokerEpoch: () => BrokerEpoch;
  readonly timers: Timers;
  readonly send: (request: AssignReplicasToDirsRequest) => Promise<AssignReplicasToDirsReply>;
  readonly report: (error: unknown, what: string) => void;
}

/** Replicas of one request; more wait for the next. */
const REPLICAS_MAX = 2_000;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;

export class DirectoryAssignments {
  readonly #options: DirectoryAssignmentsOptions;
  /** By replica; at most one each. What is in flight stays until it is answered. */
  readonly #waiting = new Map<string, DirectoryAssignment>();
  #state: 'idle' | 'scheduled' | 'in-flight' | 'closed' = 'idle';
  #retryMs = RETRY_MIN_MS;
  #timer: Timer | undefined;
  #waiters: (() => void)[] = [];

  constructor(options: DirectoryAssignmentsOptions) {
    this.#options = options;
  }

  /** Replicas whose place is not known to the controller yet. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  tell(topicId: Uuid, partition: PartitionId, directoryId: Uuid): void {
    const key = topicPartitionKey(topicId, partition);
    if (this.#state === 'closed' || this.#waiting.get(key)?.directoryId === directoryId) return;
    this.#waiting.set(key, { topicId, partition, directoryId });
    if (this.#state !== 'idle') return;
    this.#state = 'scheduled';
    queueMicrotask(() => this.#flush());
  }

  /** The replica is no longer here. */
  forget(topicId: Uuid, partition: PartitionId): void {
    this.#waiting.delete(topicPartitionKey(topicId, partition));
    this.#wake();
  }

  /** Resolves when the controller has heard of every log that is lost: what it would elect must not be one. */
  async settled(): Promise<void> {
    while (this.#state !== 'closed' && this.#hasLost())
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  close(): void {
    this.#state = 'closed';
    this.#timer?.cancel();
    this.#waiting.clear();
    this.#wake();
  }

  #hasLost(): boolean {
    for (const { directoryId } of this.#waiting.values()) if (directoryId === LOST_DIRECTORY) return true;
    return false;
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  #flush(): void {
    if (this.#state !== 'scheduled') return;
    const sent = [...this.#waiting.values()].slice(0, REPLICAS_MAX);
    if (sent.length === 0) {
      this.#state = 'idle';
      return;
    }
    this.#state = 'in-flight';
    const { nodeId, brokerEpoch } = this.#options;
    this.#options.send({ brokerId: nodeId, brokerEpoch: brokerEpoch(), replicas: sent }).then(
      () => this.#handleReply(sent),
      (error: unknown) => this.#handleFailure(error),
    );
  }

  /** A replica that was refused is not the controller's any more: metadata tell. */
  #handleReply(sent: readonly DirectoryAssignment[]): void {
    if (this.#state === 'closed') return;
    for (const one of sent) {
      const key = topicPartitionKey(one.topicId, one.partition);
      if (this.#waiting.get(key) === one) this.#waiting.delete(key);
    }
    this.#retryMs = RETRY_MIN_MS;
    this.#state = 'scheduled';
    this.#wake();
    this.#flush();
  }

  #handleFailure(error: unknown): void {
    if (this.#state === 'closed') return;
    this.#options.report(error, 'the controller does not know yet where replicas live');
    this.#state = 'scheduled';
    this.#timer = this.#options.timers.after(this.#retryMs, () => this.#flush());
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MAX_MS);
  }
}
