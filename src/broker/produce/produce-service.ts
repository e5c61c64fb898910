/**
 * Produce requests of clients: checked, made into batches where they are in clear, appended here or sent to the leader,
 * and the outcomes put back in the order of the request.
 *
 * `produce` appends and sends before it returns its promise, so requests given in order are appended in order.
 */
import { NONE, type NodeId, type PartitionId, topicNameProblem } from '../../base/index.ts';
import type { Environment } from '../../env/index.ts';
import type {
  Acks,
  Outcome,
  PartitionRef,
  ProducePartition,
  ProducePartitionReply,
  ProduceReply,
  ProduceRequest,
} from '../../rpc/api/index.ts';
import type { FaultReport } from '../flow/fault-report.ts';
import { outcomeOf, refusal } from '../flow/outcome.ts';
import type { Forwarder } from '../forward/forwarder.ts';
import { routeOf } from '../forward/route.ts';
import { withLeader } from '../forward/with-leader.ts';
import type { MetadataCache } from '../metadata-cache/metadata-cache.ts';
import { KeylessTurns, type PlainTopic, plainBatches } from './plain-batches.ts';
import { notProduced } from './produce-replies.ts';

/** What this broker's replicas do with batches; see ReplicaManager. */
export interface LocalAppend {
  append(request: {
    readonly acks: Acks;
    readonly timeoutMs: number;
    readonly batches: readonly ProducePartition[];
  }): Promise<readonly ProducePartitionReply[]>;
}

export interface ProduceServiceOptions {
  readonly nodeId: NodeId;
  readonly environment: Environment;
  readonly cache: MetadataCache;
  readonly replicas: LocalAppend;
  readonly forwarder: Forwarder;
  readonly faults: FaultReport;
}

/** Batches and plain entries of one request; beyond it the request is refused whole. */
export const PRODUCE_ENTRIES_MAX = 10_000;
/** A longer wait for replicas is cut to this. */
export const PRODUCE_TIMEOUT_MAX_MS = 300_000;

interface Entry extends ProducePartition {
  readonly index: number;
}

interface Group {
  readonly nodeId: NodeId;
  readonly entries: Entry[];
}

export class ProduceService {
  readonly #options: ProduceServiceOptions;
  readonly #turns = new KeylessTurns();

  constructor(options: ProduceServiceOptions) {
    this.#options = options;
  }

  /** Never rejects: every failure is an outcome. One reply per batch, then one per plain batch or refused plain entry. */
  produce(request: ProduceRequest): Promise<ProduceReply> {
    const { correlationId } = request;
    const problem = requestProblem(request);
    if (problem !== undefined)
      return Promise.resolve({ correlationId, partitions: refusedWhole(request, problem) });
    const { clock } = this.#options.environment;
    const find = (topic: string): PlainTopic | undefined => this.#plainTopic(topic);
    const plain = plainBatches(request.plain, find, this.#turns, clock.wallMs());
    const refused = plain.refused.map((one) => notProduced(one, one));
    const dispatched = this.#dispatch([...request.partitions, ...plain.batches], request);
    return dispatched.then((replies) => ({ correlationId, partitions: [...replies, ...refused] }));
  }

  #dispatch(batches: readonly ProducePartition[], request: ProduceRequest): Promise<ProducePartitionReply[]> {
    const replies = new Array<ProducePartitionReply>(batches.length);
    const here: Entry[] = [];
    const there = new Map<NodeId, Group>();
    for (const [index, entry] of batches.entries()) {
      const nameProblem = topicNameProblem(entry.topic);
      if (nameProblem !== undefined) {
        replies[index] = notProduced(entry, refusal('INVALID_TOPIC_EXCEPTION', nameProblem));
        continue;
      }
      const self = { nodeId: this.#options.nodeId, forwarded: request.forwarded };
      const route = routeOf(this.#options.cache.place(entry.topic, entry.partition), entry, self);
      if (route.kind === 'nowhere') replies[index] = notProduced(entry, route.outcome);
      else if (route.kind === 'here') here.push({ ...entry, index });
      else addTo(there, route.nodeId, { ...entry, index });
    }
    const timeoutMs = Math.min(Math.max(0, request.timeoutMs), PRODUCE_TIMEOUT_MAX_MS);
    const work = [...there.values()].map((group) => this.#forward(group, request, timeoutMs, replies));
    if (here.length > 0) work.push(this.#append(here, request.acks, timeoutMs, replies));
    return work.length === 0 ? Promise.resolve(replies) : Promise.all(work).then(() => replies);
  }

  async #append(
    entries: readonly Entry[],
    acks: Acks,
    timeoutMs: number,
    replies: ProducePartitionReply[],
  ): Promise<void> {
    try {
      const results = await this.#options.replicas.append({ acks, timeoutMs, batches: entries });
      fill(
        replies,
        entries,
        results.map((one) => withLeader(this.#options.cache, one)),
      );
    } catch (error) {
      this.#options.faults.report(error, 'append failed');
      failAll(replies, entries, outcomeOf(error));
    }
  }

  async #forward(
    group: Group,
    request: ProduceRequest,
    timeoutMs: number,
    replies: ProducePartitionReply[],
  ): Promise<void> {
    try {
      const results = await this.#options.forwarder.produce(group.nodeId, {
        ...request,
        // Without a reply nobody here could tell the producer of a failure.
        acks: request.acks === 0 ? 1 : request.acks,
        timeoutMs,
        partitions: group.entries,
        plain: [],
      });
      fill(replies, group.entries, results);
    } catch (error) {
      this.#options.faults.report(error, 'forwarded produce failed');
      failAll(replies, group.entries, outcomeOf(error));
    }
  }

  #plainTopic(topic: string): PlainTopic | undefined {
    const known = this.#options.cache.image.topics.find(topic);
    if (known === undefined) return undefined;
    const hasLeader = (partition: PartitionId): boolean =>
      this.#options.cache.place(topic, partition).kind === 'led';
    return { partitions: known.partitions.length, hasLeader };
  }
}

function requestProblem(request: ProduceRequest): Outcome | undefined {
  const { acks } = request;
  if (acks !== 0 && acks !== 1 && acks !== -1)
    return refusal('INVALID_REQUIRED_ACKS', `acks must be 0, 1 or all (-1), not ${String(acks)}`);
  const entries = request.partitions.length + request.plain.length;
  return entries > PRODUCE_ENTRIES_MAX
    ? refusal(
        'INVALID_REQUEST',
        `${entries} batches in one request; at most ${PRODUCE_ENTRIES_MAX} are allowed`,
      )
    : undefined;
}

function refusedWhole(request: ProduceRequest, outcome: Outcome): ProducePartitionReply[] {
  const plain: PartitionRef[] = request.plain.map(({ topic, partition }) => ({
    topic,
    partition: partition ?? NONE,
  }));
  return [...request.partitions, ...plain].map((ref) => notProduced(ref, outcome));
}

function addTo(groups: Map<NodeId, Group>, nodeId: NodeId, entry: Entry): void {
  const group = groups.get(nodeId);
  if (group === undefined) groups.set(nodeId, { nodeId, entries: [entry] });
  else group.entries.push(entry);
}

function fill(
  replies: ProducePartitionReply[],
  entries: readonly Entry[],
  results: readonly ProducePartitionReply[],
): void {
  for (const [at, entry] of entries.entries()) {
    // Another broker may answer anything; a hole would hide a batch whose fate is unknown.
    replies[entry.index] = results[at] ?? notProduced(entry, refusal('NETWORK_EXCEPTION'));
  }
}

function failAll(replies: ProducePartitionReply[], entries: readonly Entry[], outcome: Outcome): void {
  for (const entry of entries) replies[entry.index] = notProduced(entry, outcome);
}
