/**
 * Offsets by timestamp, asked of each partition's leader: here or one hop away.
 */
import { ApiError, NONE, type NodeId } from '../../base/index.ts';
import type {
  CurrentLeader,
  IsolationLevel,
  ListOffsetsPartition,
  ListOffsetsPartitionReply,
  ListOffsetsReply,
  ListOffsetsRequest,
  Outcome,
} from '../../rpc/api/index.ts';
import type { FaultReport } from '../flow/fault-report.ts';
import { outcomeOf, refusal } from '../flow/outcome.ts';
import type { Forwarder } from '../forward/forwarder.ts';
import { routeOf } from '../forward/route.ts';
import { withLeader } from '../forward/with-leader.ts';
import type { MetadataCache } from '../metadata-cache/metadata-cache.ts';

/** What this broker's replicas know; see ReplicaManager. */
export interface LocalOffsets {
  listOffset(partition: ListOffsetsPartition, isolation: IsolationLevel): Promise<ListOffsetsPartitionReply>;
}

export interface OffsetsServiceOptions {
  readonly nodeId: NodeId;
  readonly cache: MetadataCache;
  readonly replicas: LocalOffsets;
  readonly forwarder: Forwarder;
  readonly faults: FaultReport;
}

export const LIST_OFFSETS_PARTITIONS_MAX = 10_000;

interface Entry extends ListOffsetsPartition {
  readonly index: number;
}

export class OffsetsService {
  readonly #options: OffsetsServiceOptions;

  constructor(options: OffsetsServiceOptions) {
    this.#options = options;
  }

  /** One reply per partition, in order. INVALID_REQUEST beyond the limit. */
  async listOffsets(request: ListOffsetsRequest): Promise<ListOffsetsReply> {
    if (request.partitions.length > LIST_OFFSETS_PARTITIONS_MAX)
      throw new ApiError(
        'INVALID_REQUEST',
        `at most ${LIST_OFFSETS_PARTITIONS_MAX} partitions in one request`,
      );
    const replies: ListOffsetsPartitionReply[] = request.partitions.map((entry) =>
      notListed(entry, refusal('NETWORK_EXCEPTION')),
    );
    const work: Promise<void>[] = [];
    const there = new Map<NodeId, Entry[]>();
    for (const [index, entry] of request.partitions.entries()) {
      const self = { nodeId: this.#options.nodeId, forwarded: request.forwarded };
      const route = routeOf(this.#options.cache.place(entry.topic, entry.partition), entry, self);
      if (route.kind === 'nowhere') replies[index] = notListed(entry, route.outcome);
      else if (route.kind === 'here') work.push(this.#here({ ...entry, index }, request.isolation, replies));
      else {
        const entries = there.get(route.nodeId) ?? [];
        entries.push({ ...entry, index });
        there.set(route.nodeId, entries);
      }
    }
    for (const [nodeId, entries] of there) work.push(this.#there(nodeId, entries, request, replies));
    await Promise.all(work);
    return { partitions: replies };
  }

  async #here(entry: Entry, isolation: IsolationLevel, replies: ListOffsetsPartitionReply[]): Promise<void> {
    try {
      const reply = await this.#options.replicas.listOffset(entry, isolation);
      replies[entry.index] = withLeader(this.#options.cache, reply);
    } catch (error) {
      this.#options.faults.report(error, 'list offsets failed');
      replies[entry.index] = withLeader(this.#options.cache, notListed(entry, outcomeOf(error)));
    }
  }

  async #there(
    nodeId: NodeId,
    entries: readonly Entry[],
    request: ListOffsetsRequest,
    replies: ListOffsetsPartitionReply[],
  ): Promise<void> {
    try {
      const asked = { ...request, partitions: entries };
      const { partitions } = await this.#options.forwarder.listOffsets(nodeId, asked);
      for (const [at, entry] of entries.entries()) {
        const reply = partitions[at];
        if (reply !== undefined) replies[entry.index] = reply;
      }
    } catch (error) {
      this.#options.faults.report(error, 'forwarded list offsets failed');
      for (const entry of entries) replies[entry.index] = notListed(entry, outcomeOf(error));
    }
  }
}

function notListed(
  { topic, partition }: ListOffsetsPartition,
  outcome: Outcome & { readonly currentLeader?: CurrentLeader },
): ListOffsetsPartitionReply {
  return { ...outcome, topic, partition, offset: NONE, timestampMs: NONE, leaderEpoch: NONE };
}
