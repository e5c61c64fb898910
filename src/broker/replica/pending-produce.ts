/**
 * One produce request between append and answer: a counter of open partitions, one timer, one promise.
 *
 * Each partition is answered once; the request when all are, or at its timeout, when the open ones get REQUEST_TIMED_OUT.
 * What was appended is never refused by an error that promises its absence: another leader may have the records, and commit
 * them. An idempotent retry is recognised.
 */
import { assert, ERRORS, NONE, type NodeId } from '../../base/index.ts';
import type { Timer } from '../../env/index.ts';
import type { Outcome, PartitionRef, ProducePartitionReply } from '../../rpc/api/index.ts';
import type { Appended, Partition } from './partition.ts';

export interface AckedBy {
  readonly replicas: readonly NodeId[];
  readonly synced: boolean;
}

interface Open {
  readonly partition: Partition;
  readonly appended: Appended;
}

const NOBODY: AckedBy = { replicas: [], synced: false };

export class PendingProduce {
  readonly done: Promise<ProducePartitionReply[]>;
  readonly #replies: (ProducePartitionReply | undefined)[];
  readonly #open = new Map<number, Open>();
  #resolve: (replies: ProducePartitionReply[]) => void = () => {};
  #timer: Timer | undefined;
  #sealed = false;

  constructor(count: number) {
    this.#replies = new Array<ProducePartitionReply | undefined>(count).fill(undefined);
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get openCount(): number {
    return this.#open.size;
  }

  isDone(index: number): boolean {
    return this.#replies[index] !== undefined;
  }

  /** `index` was appended and waits to be acknowledged. */
  open(index: number, partition: Partition, appended: Appended): void {
    this.#open.set(index, { partition, appended });
  }

  /** Answers a partition that was not appended. */
  refuse(index: number, ref: PartitionRef, outcome: Outcome): void {
    this.#settle(index, refusedReply(ref, outcome));
  }

  acknowledge(index: number, by: AckedBy): void {
    const open = this.#open.get(index);
    if (open === undefined) return;
    const { partition, appended } = open;
    this.#settle(index, {
      error: 'NONE',
      topic: partition.topic,
      partition: partition.partition,
      baseOffset: appended.firstOffset,
      leaderEpoch: appended.leaderEpoch,
      logStartOffset: partition.log.logStartOffset,
      logAppendTimeMs: appended.logAppendTimeMs,
      replicas: by.replicas,
      synced: by.synced,
    });
  }

  /** Answers a partition that was appended, but whose fate is not what was asked for. A definite error loses its name. */
  fail(index: number, outcome: Outcome): void {
    const open = this.#open.get(index);
    if (open !== undefined) this.#settle(index, refusedReply(open.partition, inDoubt(outcome)));
  }

  /** Every partition has been handed in; from now on only waiting is left. */
  seal(startTimer: (onTimeout: () => void) => Timer): void {
    this.#sealed = true;
    if (!this.#finish()) this.#timer = startTimer(() => this.#timeOut());
  }

  /** Fails whatever is still open. */
  abandon(outcome: Outcome): void {
    for (const index of [...this.#open.keys()]) this.fail(index, outcome);
  }

  #settle(index: number, reply: ProducePartitionReply): void {
    assert(this.#replies[index] === undefined, 'a partition is answered once', { index });
    this.#replies[index] = reply;
    this.#open.delete(index);
    this.#finish();
  }

  #finish(): boolean {
    if (!this.#sealed || this.#open.size > 0) return false;
    this.#timer?.cancel();
    this.#resolve(
      this.#replies.map((reply, index) => {
        assert(reply !== undefined, 'every partition has an answer', { index });
        return reply;
      }),
    );
    return true;
  }

  #timeOut(): void {
    for (const [index, open] of [...this.#open]) {
      this.fail(index, { error: 'REQUEST_TIMED_OUT', errorMessage: timeoutText(open.partition) });
      open.partition.noteGaveUp();
    }
  }
}

function timeoutText({ name }: Partition): string {
  return `${name} was appended but not acknowledged in time; the records may be committed yet`;
}

function inDoubt(outcome: Outcome): Outcome {
  const isDefinite = outcome.error !== 'NONE' && ERRORS[outcome.error].definite;
  return isDefinite ? { ...outcome, error: 'REQUEST_TIMED_OUT' } : outcome;
}

function refusedReply({ topic, partition }: PartitionRef, outcome: Outcome): ProducePartitionReply {
  return {
    ...outcome,
    topic,
    partition,
    baseOffset: NONE,
    leaderEpoch: NONE,
    logStartOffset: NONE,
    logAppendTimeMs: NONE,
    ...NOBODY,
  };
}
