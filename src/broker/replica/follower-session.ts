/**
 * The leader's end of one replica fetch stream.
 *
 * At most one fetch is parked here. It is answered when a partition of the session has records, an error, a divergence or
 * a high watermark that moved; after its maxWaitMs; or when the follower sends the next one (a partition it just took on
 * should not wait for others to move). What happens within one turn of the event loop goes into one reply.
 * Frames are judged when they arrive, never later than they would be answered.
 */
import { ApiError, EnvironmentError, NONE } from '../../base/index.ts';
import type { Timer, Timers } from '../../env/index.ts';
import type {
  ReplicaFetchPartition,
  ReplicaFetchPartitionReply,
  ReplicaFetchReply,
  ReplicaFetchRequest,
  Sink,
} from '../../rpc/api/index.ts';
import { outcomeOf } from '../flow/outcome.ts';
import { SESSION_PARTITIONS_MAX } from './limits.ts';
import type { FollowerIdentity, Partition } from './partition.ts';
import { PartitionMap } from './partition-map.ts';
import { type SessionAnswer, SessionPartition } from './session-partition.ts';

export interface FollowerSessionHost {
  readonly timers: Timers;
  findById(topicId: string, partition: number): Partition | undefined;
  /** The first frame tells who it is. */
  handleSessionStart(session: FollowerSession, from: FollowerIdentity): void;
  handleSessionEnd(session: FollowerSession): void;
  report(error: unknown, what: string): void;
}

/** Frames that wait while a reply is being read from disk; a correct follower has at most two on the way. */
const QUEUED_FRAMES_MAX = 4;

export class FollowerSession implements Sink<ReplicaFetchRequest> {
  readonly #host: FollowerSessionHost;
  readonly #replies: Sink<ReplicaFetchReply>;
  readonly #entries = new PartitionMap<SessionPartition>();
  /** Entries that may have something to tell, those that waited longest first. */
  readonly #dirty = new Set<SessionPartition>();
  readonly #queue: ReplicaFetchRequest[] = [];
  /** The newest acknowledgement of a partition that may belong to a listing in the queue. */
  readonly #early = new PartitionMap<ReplicaFetchPartition>();
  #from: FollowerIdentity | undefined;
  #lastCorrelationId = NONE;
  #parked: { readonly frame: ReplicaFetchRequest; readonly timer: Timer } | undefined;
  #wakeScheduled = false;
  /** A reply is being read or waits for room in the stream. */
  #busy = false;
  #closed = false;

  constructor(host: FollowerSessionHost, replies: Sink<ReplicaFetchReply>) {
    this.#host = host;
    this.#replies = replies;
  }

  get partitionCount(): number {
    return this.#entries.size;
  }

  get hasParkedFetch(): boolean {
    return this.#parked !== undefined;
  }

  send(frame: ReplicaFetchRequest): boolean {
    if (this.#closed) return false;
    this.#attempt(() => this.#receive(frame));
    return !this.#busy;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  /** The follower went away, or this side gives up. */
  end(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#parked?.timer.cancel();
    this.#parked = undefined;
    for (const entry of this.#entries.values()) entry.leave();
    this.#entries.clear();
    this.#early.clear();
    this.#dirty.clear();
    this.#host.handleSessionEnd(this);
    this.#replies.end(error);
  }

  #receive(frame: ReplicaFetchRequest): void {
    const from = this.#identify(frame);
    if (frame.ack) {
      for (const ack of frame.partitions) this.#acknowledge(ack, from);
      return;
    }
    if (this.#lastCorrelationId !== NONE && frame.correlationId !== this.#lastCorrelationId + 1)
      throw new ApiError(
        'INVALID_REQUEST',
        `frame ${frame.correlationId} follows ${this.#lastCorrelationId}`,
      );
    this.#lastCorrelationId = frame.correlationId;
    if (!this.#busy) {
      this.#process(frame);
      return;
    }
    if (this.#queue.length >= QUEUED_FRAMES_MAX)
      throw new ApiError('RESOURCE_EXHAUSTED', 'too many replica fetches at once');
    this.#queue.push(frame);
  }

  /** At once, also past frames that wait: those whom the records wait for should not. */
  #acknowledge(ack: ReplicaFetchPartition, from: FollowerIdentity): void {
    const { topicId, partition } = ack;
    const isUsed = this.#entries.find(topicId, partition)?.acknowledge(ack, from) === true;
    if (isUsed || !this.#queue.some((frame) => frame.partitions.some((listed) => isSame(listed, ack))))
      return;
    this.#early.set(topicId, partition, ack);
  }

  #identify(frame: ReplicaFetchRequest): FollowerIdentity {
    if (this.#from === undefined) {
      this.#from = { brokerId: frame.brokerId, brokerEpoch: frame.brokerEpoch };
      this.#host.handleSessionStart(this, this.#from);
    }
    if (frame.brokerId !== this.#from.brokerId || frame.brokerEpoch !== this.#from.brokerEpoch)
      throw new ApiError('INVALID_REQUEST', 'one stream is for one incarnation of one broker');
    return this.#from;
  }

  #process(frame: ReplicaFetchRequest): void {
    if (this.#parked !== undefined) this.#answerParked(true);
    // Reading for the parked one: this frame has to wait for it.
    if (this.#busy) {
      this.#queue.unshift(frame);
      return;
    }
    this.#list(frame);
    const expire = (): void => this.#attempt(() => this.#answerParked(true));
    const timer = this.#host.timers.after(Math.max(0, frame.maxWaitMs), expire);
    this.#parked = { frame, timer };
    this.#answerParked(false);
  }

  #list(frame: ReplicaFetchRequest): void {
    const from = this.#identify(frame);
    for (const { topicId, partition } of frame.forget) {
      const entry = this.#entries.find(topicId, partition);
      if (entry === undefined) continue;
      entry.leave();
      this.#dirty.delete(entry);
      this.#entries.delete(topicId, partition);
      this.#early.delete(topicId, partition);
    }
    for (const listed of frame.partitions) {
      const { topicId, partition } = listed;
      let entry = this.#entries.find(topicId, partition);
      if (entry === undefined) {
        if (this.#entries.size >= SESSION_PARTITIONS_MAX)
          throw new ApiError(
            'RESOURCE_EXHAUSTED',
            `at most ${SESSION_PARTITIONS_MAX} partitions in one stream`,
          );
        entry = new SessionPartition(listed, (woken) => this.#wake(woken));
        this.#entries.set(topicId, partition, entry);
      }
      entry.list(listed, this.#host.findById(topicId, partition), from);
      this.#dirty.add(entry);
      const early = this.#early.find(topicId, partition);
      if (early === undefined) continue;
      // Another listing comes when it is of a later epoch.
      if (entry.acknowledge(early, from) || early.currentLeaderEpoch <= listed.currentLeaderEpoch)
        this.#early.delete(topicId, partition);
    }
  }

  #wake(entry: SessionPartition): void {
    this.#dirty.add(entry);
    if (this.#parked === undefined || this.#wakeScheduled) return;
    this.#wakeScheduled = true;
    queueMicrotask(() => {
      this.#wakeScheduled = false;
      this.#attempt(() => this.#answerParked(false));
    });
  }

  /** Answers the parked fetch when there is enough to tell, or with whatever there is. */
  #answerParked(anyway: boolean): void {
    if (this.#parked === undefined || this.#busy || this.#closed) return;
    const { frame, timer } = this.#parked;
    if (!anyway && !this.#isEnough(frame)) return;
    const answers = this.#collect(frame.maxBytes);
    timer.cancel();
    this.#parked = undefined;
    if (answers.some((answer) => answer instanceof Promise)) {
      this.#busy = true;
      Promise.all(answers).then(
        (parts) =>
          this.#reply(
            frame.correlationId,
            parts.filter((part) => part !== undefined),
          ),
        this.#giveUp,
      );
    } else this.#reply(frame.correlationId, answers as ReplicaFetchPartitionReply[]);
  }

  /** Drops entries that turn out to have nothing to tell. */
  #isEnough({ minBytes, maxBytes }: ReplicaFetchRequest): boolean {
    let sizeBytes = 0;
    for (const entry of this.#dirty) {
      const weight = entry.weigh();
      if (weight === 'notice' || (weight === 'records' && minBytes <= 1)) return true;
      if (weight === 'nothing') this.#dirty.delete(entry);
      else sizeBytes += entry.availableBytes(Math.min(maxBytes, entry.listed.maxBytes));
      if (sizeBytes >= Math.min(minBytes, maxBytes)) return true;
    }
    return false;
  }

  #collect(maxBytes: number): SessionAnswer[] {
    const answers: SessionAnswer[] = [];
    let leftBytes = maxBytes;
    for (const entry of this.#dirty) {
      const answer = this.#answerOf(entry, leftBytes, leftBytes === maxBytes);
      // What found no room keeps its place: whoever is served now lines up behind it, and the first gets a batch of any size.
      if (answer instanceof Promise || entry.weigh() !== 'records') this.#dirty.delete(entry);
      if (answer === undefined) continue;
      answers.push(answer);
      if (answer instanceof Promise) leftBytes -= Math.min(leftBytes, entry.listed.maxBytes);
      else for (const batch of answer.batches) leftBytes -= batch.length;
    }
    return answers;
  }

  #answerOf(entry: SessionPartition, leftBytes: number, atLeastOne: boolean): SessionAnswer | undefined {
    const failed = (error: unknown): ReplicaFetchPartitionReply => {
      if (!(error instanceof ApiError)) this.#host.report(error, 'read for a replica failed');
      return entry.failed(outcomeOf(error));
    };
    try {
      const answer = entry.answer(leftBytes, atLeastOne);
      if (!(answer instanceof Promise)) return answer;
      return answer.catch(failed).then((part) => {
        if (entry.weigh() === 'records') this.#dirty.add(entry);
        return part;
      });
    } catch (error) {
      return failed(error);
    }
  }

  #reply(correlationId: number, partitions: readonly ReplicaFetchPartitionReply[]): void {
    if (this.#closed) return;
    this.#busy = true;
    if (this.#replies.send({ correlationId, partitions })) this.#continue();
    else this.#replies.drained().then(() => this.#continue(), this.#giveUp);
  }

  #continue(): void {
    this.#busy = false;
    this.#attempt(() => {
      while (!this.#busy && !this.#closed) {
        const next = this.#queue.shift();
        if (next === undefined) return;
        this.#process(next);
      }
    });
  }

  #attempt(task: () => void): void {
    try {
      task();
    } catch (error) {
      if (!(error instanceof ApiError)) this.#host.report(error, 'replica fetch failed');
      this.#giveUp(error);
    }
  }

  readonly #giveUp = (error: unknown): void => {
    this.end(error instanceof Error ? error : new EnvironmentError('other', 'replica fetch', String(error)));
  };
}

function isSame(one: ReplicaFetchPartition, other: ReplicaFetchPartition): boolean {
  return one.partition === other.partition && one.topicId === other.topicId;
}
