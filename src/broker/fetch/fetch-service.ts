/**
 * Fetch requests of clients: read here or at the leader, waited for as asked, opened when wanted in clear.
 *
 * All partitions at one broker: it does the waiting. Spread over several: each is first asked without waiting; when that
 * yields too little, all are asked again with the wait, and the first to have something ends the wait of the others, whose
 * first answer stands. Source of the waiting rules: Kafka's DelayedFetch.
 */
import { type NodeId, topicNameProblem } from '../../base/index.ts';
import type { Environment } from '../../env/index.ts';
import type {
  FetchPartition,
  FetchPartitionReply,
  FetchReply,
  FetchRequest,
  IsolationLevel,
  Outcome,
} from '../../rpc/api/index.ts';
import type { FaultReport } from '../flow/fault-report.ts';
import { outcomeOf, refusal } from '../flow/outcome.ts';
import type { Forwarder } from '../forward/forwarder.ts';
import { routeOf } from '../forward/route.ts';
import { withLeader } from '../forward/with-leader.ts';
import type { MetadataCache } from '../metadata-cache/metadata-cache.ts';
import { fetchedBytes, hasError, notFetched } from './fetch-replies.ts';
import { OpenedBatch } from './opened-batch.ts';
import { PlainBudget } from './plain-budget.ts';
import { endOfBatches, plainRecords } from './plain-records.ts';

/** What this broker's replicas read; see ReplicaManager. */
export interface LocalFetch {
  fetch(request: {
    readonly maxWaitMs: number;
    readonly minBytes: number;
    readonly maxBytes: number;
    readonly isolation: IsolationLevel;
    readonly partitions: readonly FetchPartition[];
    readonly signal: AbortSignal;
  }): Promise<readonly FetchPartitionReply[]>;
}

export interface FetchServiceOptions {
  readonly nodeId: NodeId;
  readonly environment: Environment;
  readonly cache: MetadataCache;
  readonly replicas: LocalFetch;
  readonly forwarder: Forwarder;
  readonly faults: FaultReport;
  readonly maxBytes: number;
}

/** Partitions one request may name. */
export const FETCH_PARTITIONS_MAX = 10_000;
/** A longer wait is cut to this. */
export const FETCH_WAIT_MAX_MS = 60_000;
/** Of a partition whose request sets none. */
const PARTITION_BYTES = 1024 * 1024;

interface Entry extends FetchPartition {
  readonly index: number;
}

/** Partitions of one request that one broker answers for; without a node: this one. */
interface Group {
  readonly there: NodeId | undefined;
  readonly entries: Entry[];
}

type Replies = (FetchPartitionReply | undefined)[];

export class FetchService {
  readonly #options: FetchServiceOptions;
  readonly #opened = new OpenedBatch();

  constructor(options: FetchServiceOptions) {
    this.#options = options;
  }

  /** Never rejects: every failure is an outcome. One reply per partition, in order. */
  async fetch(given: FetchRequest, signal: AbortSignal): Promise<FetchReply> {
    const request = this.#bounded(given);
    const replies: Replies = new Array(given.partitions.length).fill(undefined);
    const groups = this.#groups(request, replies);
    const waits = request.maxWaitMs > 0 && !hasError(found(replies)) && groups.length > 0;
    if (!waits || groups.length === 1)
      await this.#ask(groups, waits ? request : { ...request, maxWaitMs: 0 }, replies, signal);
    else await this.#askInTwoRounds(groups, request, replies, signal);
    const partitions = request.partitions.map(
      (partition, index) => replies[index] ?? notFetched(partition, refusal('NETWORK_EXCEPTION')),
    );
    const { correlationId } = given;
    if (!given.plain) return { correlationId, partitions };
    const budget = new PlainBudget(request.maxBytes);
    const inClear = request.partitions.map((partition, index) =>
      this.#inClear(partition, partitions[index] as FetchPartitionReply, request, { budget, signal }),
    );
    return { correlationId, partitions: await Promise.all(inClear) };
  }

  #bounded(request: FetchRequest): FetchRequest {
    const maxBytes = Math.min(
      request.maxBytes > 0 ? request.maxBytes : this.#options.maxBytes,
      this.#options.maxBytes,
    );
    return {
      ...request,
      maxBytes,
      maxWaitMs: Math.min(Math.max(0, request.maxWaitMs), FETCH_WAIT_MAX_MS),
      minBytes: Math.min(Math.max(0, request.minBytes), maxBytes),
      partitions: request.partitions.map((partition) =>
        partition.maxBytes > 0 ? partition : { ...partition, maxBytes: PARTITION_BYTES },
      ),
    };
  }

  #groups(request: FetchRequest, replies: Replies): Group[] {
    const groups = new Map<NodeId, Group>();
    const tooMany = request.partitions.length > FETCH_PARTITIONS_MAX;
    for (const [index, entry] of request.partitions.entries()) {
      const nameProblem = topicNameProblem(entry.topic);
      if (tooMany || nameProblem !== undefined) {
        replies[index] = notFetched(entry, problemOf(nameProblem));
        continue;
      }
      const self = { nodeId: this.#options.nodeId, forwarded: request.forwarded };
      const route = routeOf(this.#options.cache.place(entry.topic, entry.partition), entry, self);
      if (route.kind === 'nowhere') {
        replies[index] = notFetched(entry, route.outcome);
        continue;
      }
      const nodeId = route.kind === 'here' ? this.#options.nodeId : route.nodeId;
      const there = route.kind === 'here' ? undefined : nodeId;
      const group = groups.get(nodeId);
      if (group === undefined) groups.set(nodeId, { there, entries: [{ ...entry, index }] });
      else group.entries.push({ ...entry, index });
    }
    return [...groups.values()];
  }

  async #askInTwoRounds(
    groups: readonly Group[],
    request: FetchRequest,
    replies: Replies,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#ask(groups, { ...request, maxWaitMs: 0 }, replies, signal);
    const first = found(replies);
    if (hasError(first) || fetchedBytes(first) >= request.minBytes || signal.aborted) return;
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const waits = groups.map(async (group) => {
      const late: Replies = new Array(replies.length).fill(undefined);
      await this.#ask([group], request, late, either);
      if (stop.signal.aborted) return;
      for (const { index } of group.entries) replies[index] = late[index];
      const answers = found(late);
      if (hasError(answers) || fetchedBytes(answers) > 0) stop.abort();
    });
    await Promise.all(waits);
  }

  async #ask(
    groups: readonly Group[],
    request: FetchRequest,
    replies: Replies,
    signal: AbortSignal,
  ): Promise<void> {
    await Promise.all(
      groups.map(async (group) => {
        try {
          const answers = await this.#read(group, request, signal);
          for (const [at, entry] of group.entries.entries()) {
            const answer = answers[at];
            if (answer !== undefined) replies[entry.index] = withLeader(this.#options.cache, answer);
          }
        } catch (error) {
          if (!signal.aborted) this.#options.faults.report(error, 'fetch failed');
          for (const entry of group.entries) replies[entry.index] = notFetched(entry, outcomeOf(error));
        }
      }),
    );
  }

  async #read(
    group: Group,
    request: FetchRequest,
    signal: AbortSignal,
  ): Promise<readonly FetchPartitionReply[]> {
    const { maxWaitMs, minBytes, maxBytes, isolation } = request;
    const partitions = group.entries;
    if (group.there === undefined)
      return this.#options.replicas.fetch({ maxWaitMs, minBytes, maxBytes, isolation, partitions, signal });
    const reply = await this.#options.forwarder.fetch(group.there, { ...request, partitions }, signal);
    return reply.partitions;
  }

  /**
   * Reads on past batches without a record, which compaction emptied or which are markers: a client that sees records
   * only could not get past them.
   */
  async #inClear(
    partition: FetchPartition,
    first: FetchPartitionReply,
    request: FetchRequest,
    { budget, signal }: { readonly budget: PlainBudget; readonly signal: AbortSignal },
  ): Promise<FetchPartitionReply> {
    let reply = first;
    const opened = this.#opened;
    try {
      for (let { fetchOffset } = partition; reply.batches.length > 0; ) {
        const records = plainRecords(reply.batches, { ...partition, fetchOffset, budget, opened });
        const isEnough = records.length > 0 || budget.isSpent || signal.aborted;
        if (isEnough) return { ...reply, batches: [], records };
        fetchOffset = endOfBatches(reply.batches);
        // Only a request for one partition may wait: records of others are here already.
        const maxWaitMs = request.partitions.length === 1 ? request.maxWaitMs : 0;
        const partitions = [{ ...partition, fetchOffset }];
        const replies: Replies = [undefined];
        const again = { ...request, maxWaitMs, partitions };
        await this.#ask(this.#groups(again, replies), again, replies, signal);
        reply = replies[0] ?? notFetched(partition, refusal('NETWORK_EXCEPTION'));
      }
      return reply;
    } catch (error) {
      this.#options.faults.report(error, 'stored batch cannot be opened');
      return notFetched(partition, outcomeOf(error));
    }
  }
}

function found(replies: Replies): FetchPartitionReply[] {
  return replies.filter((reply) => reply !== undefined);
}

function problemOf(nameProblem: string | undefined): Outcome {
  return nameProblem === undefined
    ? refusal('INVALID_REQUEST', `at most ${FETCH_PARTITIONS_MAX} partitions in one request`)
    : refusal('INVALID_TOPIC_EXCEPTION', nameProblem);
}
