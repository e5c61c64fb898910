/**
 * Answers what the stored records of replicas come to: of its own, and by one hop of others'.
 *
 * Reads the disk beside producers and consumers, so one question at a time, at a bounded rate; a few wait, more are
 * refused.
 */
import { ApiError, CorruptionError, EnvironmentError, NONE, type NodeId } from '../../base/index.ts';
import { sleep, type Timers } from '../../env/index.ts';
import { digestStored, type PartitionLog } from '../../log/index.ts';
import type {
  CallContext,
  LogDigestReply,
  LogDigestRequest,
  Outcome,
  PartitionRef,
} from '../../rpc/api/index.ts';
import { outcomeOf, refusal } from '../flow/outcome.ts';
import type { Peers } from '../peers/peers.ts';

export interface LogDigestsOptions {
  readonly nodeId: NodeId;
  readonly timers: Timers;
  readonly peers: Pick<Peers, 'broker'>;
  readonly report: (error: unknown, what: string) => void;
  /** The log of a replica here, leading or following; undefined: there is none. */
  readonly findLog: (ref: PartitionRef) => PartitionLog | undefined;
}

/** A disk gives a lot more; what is left is for the clients. */
const BYTES_PER_SECOND = 64 * 1024 * 1024;
/** Of one answer: a quarter of a second at this rate. */
const BYTES_MAX = 16 * 1024 * 1024;
const WAITING_MAX = 32;
/** Of a question to another broker: everything that may wait before it there, and as much again. */
const ROAD_TIMEOUT_MS = (2 * WAITING_MAX * BYTES_MAX * 1000) / BYTES_PER_SECOND;

export class LogDigests {
  readonly #options: LogDigestsOptions;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: LogDigestsOptions) {
    this.#options = options;
  }

  /** Of the broker that the request names. What went wrong is in the reply. */
  async ask(request: LogDigestRequest, call: CallContext): Promise<LogDigestReply> {
    const { brokerId } = request;
    if (brokerId === this.#options.nodeId) return this.answer(request, call);
    try {
      const options = { timeoutMs: ROAD_TIMEOUT_MS, signal: call.signal };
      return await this.#options.peers.broker(brokerId, 'replica').replica.logDigest(request, options);
    } catch (error) {
      if (error instanceof ApiError) return noDigest(brokerId, outcomeOf(error));
      if (!(error instanceof EnvironmentError)) throw error;
      const message = `broker ${brokerId} did not answer: ${error.reason}`;
      return noDigest(brokerId, refusal('BROKER_NOT_AVAILABLE', message));
    }
  }

  /** Of a replica here. What went wrong is in the reply. */
  async answer(request: LogDigestRequest, { signal }: CallContext): Promise<LogDigestReply> {
    const { nodeId, findLog, report } = this.#options;
    const log = findLog(request);
    if (log === undefined) {
      const name = `${request.topic}-${request.partition}`;
      return noDigest(nodeId, refusal('UNKNOWN_TOPIC_OR_PARTITION', `${name} is not on broker ${nodeId}`));
    }
    if (this.#waiting >= WAITING_MAX)
      return noDigest(nodeId, refusal('RESOURCE_EXHAUSTED', 'too many digests are asked for at once'));
    this.#waiting++;
    const done = this.#last.then(() => this.#digest(log, request, signal));
    this.#last = done.catch(() => {});
    try {
      return await done;
    } catch (error) {
      if (!(error instanceof ApiError)) report(error, 'a log digest failed');
      return noDigest(nodeId, damageOf(log) ?? outcomeOf(error));
    } finally {
      this.#waiting--;
    }
  }

  async #digest(log: PartitionLog, request: LogDigestRequest, signal: AbortSignal): Promise<LogDigestReply> {
    signal.throwIfAborted();
    if (log.failure !== undefined) throw log.failure;
    const { fromOffset, maxBytes } = request;
    const highWatermark = Math.min(log.highWatermark, log.writtenOffset);
    if (request.toOffset > highWatermark)
      throw new ApiError(
        'OFFSET_OUT_OF_RANGE',
        `offset ${request.toOffset} is above the high watermark ${highWatermark}`,
      );
    const range = {
      fromOffset,
      toOffset: request.toOffset,
      maxBytes: maxBytes <= 0 ? BYTES_MAX : Math.min(maxBytes, BYTES_MAX),
    };
    const digest = await digestStored(log, range, (bytes) =>
      sleep(this.#options.timers, (bytes * 1000) / BYTES_PER_SECOND, signal),
    );
    return {
      error: 'NONE',
      brokerId: this.#options.nodeId,
      logStartOffset: log.logStartOffset,
      highWatermark,
      ...digest,
      segmentBaseOffset: log.segmentBaseOf(fromOffset),
    };
  }
}

/** Who compares replicas must know the place; a file is named as far as the log's directory. */
function damageOf({ failure }: PartitionLog): Outcome | undefined {
  if (!(failure instanceof CorruptionError)) return undefined;
  const { file, position, expected, found } = failure;
  const name = file.split('/').slice(-2).join('/');
  const message = `${name} is damaged at byte ${position}: expected ${expected}, found ${found}`;
  return refusal('KAFKA_STORAGE_ERROR', message);
}

function noDigest(brokerId: NodeId, outcome: Outcome): LogDigestReply {
  const nothing = { logStartOffset: NONE, highWatermark: NONE, nextOffset: NONE, segmentBaseOffset: NONE };
  return { ...outcome, ...nothing, brokerId, bytes: 0, batches: 0, digest: '' };
}
