/**
 * What becomes of a batch once something is known of it: acknowledged, sent again, split, given up. Counts
 * the bytes that are not settled, and tells those who wait.
 */
import { ApiError, ERRORS, type ErrorName } from '../../base/index.ts';
import type { ProducePartitionReply } from '../../rpc/api/index.ts';
import { type Backoff, backoffMs } from '../backoff.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { ProducerBatch } from './producer-batch.ts';
import { judge, type Verdict } from './verdict.ts';

/** What of a reply concerns one batch. */
export type Answer = Pick<
  ProducePartitionReply,
  | 'error'
  | 'errorMessage'
  | 'currentLeader'
  | 'baseOffset'
  | 'leaderEpoch'
  | 'replicas'
  | 'synced'
  | 'logAppendTimeMs'
>;

const NOWHERE = { baseOffset: -1, leaderEpoch: -1, replicas: [], synced: false, logAppendTimeMs: -1 };
/** Of a batch sent with acks=0. */
export const UNACKNOWLEDGED: Answer = { error: 'NONE', ...NOWHERE };
/** Of a batch that the reply forgot. */
export const MISSING_ANSWER: Answer = {
  error: 'UNKNOWN_SERVER_ERROR',
  errorMessage: 'the reply has no answer for the batch',
  ...NOWHERE,
};

/** Errors that say that our idea of the leader may be wrong. */
const ROUTING_ERRORS: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'NOT_LEADER_OR_FOLLOWER',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'KAFKA_STORAGE_ERROR',
  'BROKER_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
]);

export class Settlement {
  /** Bytes of records that are not settled. */
  bufferedBytes = 0;
  readonly #cluster: Cluster;
  readonly #backoff: Backoff;
  readonly #onRoom: () => void;

  /** `onRoom` is called when `bufferedBytes` has fallen. */
  constructor(cluster: Cluster, backoff: Backoff, onRoom: () => void) {
    this.#cluster = cluster;
    this.#backoff = backoff;
    this.#onRoom = onRoom;
  }

  /** The leader, or somebody in its place, has answered. */
  handleAnswer(queue: PartitionQueue, batch: ProducerBatch, answer: Answer): void {
    const verdict = judge(answer.error, {
      count: batch.count,
      sequenced: batch.identity !== undefined,
      wasFirst: batch.wasFirst,
      doubt: batch.doubt,
      blindFailures: batch.blindFailures,
    });
    if (verdict.kind === 'done') {
      this.finish(queue, batch, answer);
      return;
    }
    const code = answer.error === 'NONE' ? 'UNKNOWN_SERVER_ERROR' : answer.error;
    batch.lastCode = code;
    batch.lastProblem = `${code}: ${answer.errorMessage ?? ERRORS[code].text}`;
    if (code === 'UNKNOWN_SERVER_ERROR' || code === 'CORRUPT_MESSAGE') batch.blindFailures++;
    this.#log(queue, batch, verdict);
    const moved =
      answer.currentLeader !== undefined &&
      this.#cluster.learnLeader(queue.topic, queue.partition, answer.currentLeader);
    queue.searching = !moved && ROUTING_ERRORS.has(code);
    if (queue.searching) this.#cluster.requestRefresh();
    this.#carryOut(queue, batch, verdict);
  }

  /**
   * No answer will come, or none is waited for: it goes again, under its own sequence. `sent`: it may have
   * been written.
   */
  again(queue: PartitionQueue, batch: ProducerBatch, problem: string, sent: boolean): void {
    batch.lastCode = sent ? 'NETWORK_EXCEPTION' : 'LEADER_NOT_AVAILABLE';
    batch.lastProblem = `${batch.lastCode}: ${problem}`;
    queue.searching = true;
    const verdict: Verdict = sent ? { kind: 'retry', doubt: 'NETWORK_EXCEPTION' } : { kind: 'retry' };
    this.#log(queue, batch, verdict);
    this.#carryOut(queue, batch, verdict);
  }

  finish(queue: PartitionQueue, batch: ProducerBatch, answer: Answer): void {
    queue.complete(batch);
    this.#release(batch);
    batch.acknowledge(queue.topic, queue.partition, answer);
  }

  /** Tells those who wait that it failed. The error is indefinite when a copy may have been written. */
  giveUp(queue: PartitionQueue, batch: ProducerBatch, why: string): void {
    if (queue.holds(batch)) queue.abandon(batch);
    this.#release(batch);
    const code = batch.doubt ?? batch.lastCode;
    const one = batch.count === 1;
    const what = `${batch.count} record${one ? '' : 's'} for ${queue.topic}-${queue.partition}`;
    const certain = `${one ? 'was' : 'were'} not written`;
    const fate = ERRORS[code].definite ? certain : 'may or may not have been written';
    const { topic, partition } = queue;
    this.#cluster.environment.logger.warn(
      { topic, partition, count: batch.count, code, error: why },
      'records given up',
    );
    batch.fail(new ApiError(code, `${what} ${fate}: ${why}`));
  }

  #carryOut(queue: PartitionQueue, batch: ProducerBatch, verdict: Exclude<Verdict, { kind: 'done' }>): void {
    switch (verdict.kind) {
      case 'retry':
        batch.doubt ??= verdict.doubt;
        queue.retry(batch);
        this.#backOff(queue);
        break;
      case 'resequence':
        queue.resequence(batch);
        break;
      case 'split':
        for (const half of queue.split(batch)) this.bufferedBytes += half.sizeBytes;
        this.bufferedBytes -= batch.sizeBytes;
        break;
      case 'fail':
        batch.lastCode = verdict.code;
        this.giveUp(queue, batch, batch.lastProblem);
        break;
    }
  }

  #backOff(queue: PartitionQueue): void {
    const { clock, random } = this.#cluster.environment;
    queue.failures++;
    queue.retryAtMs = clock.monotonicMs() + backoffMs(queue.failures, this.#backoff, random);
  }

  #release(batch: ProducerBatch): void {
    this.bufferedBytes -= batch.sizeBytes;
    this.#onRoom();
  }

  #log(queue: PartitionQueue, batch: ProducerBatch, verdict: Verdict): void {
    const { logger } = this.#cluster.environment;
    const { topic, partition } = queue;
    const fields = { topic, partition, attempt: batch.attempts, error: batch.lastProblem };
    if (verdict.kind === 'resequence')
      logger.error(fields, 'the broker lost what it knew of this producer; acknowledged records may be lost');
    else logger.debug({ ...fields, verdict: verdict.kind }, 'batch refused');
  }
}
