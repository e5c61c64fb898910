/**
 * Deletion of records up to an offset, asked of each partition's leader: here or one hop away. What cannot be routed now
 * is refused with the reason; parts succeed and fail one by one.
 */
import { ApiError, NONE, type NodeId } from '../../base/index.ts';
import type {
  CurrentLeader,
  DeletedRecords,
  DeleteRecordsPartition,
  DeleteRecordsReply,
  DeleteRecordsRequest,
  Outcome,
} from '../../rpc/api/index.ts';
import type { FaultReport } from '../flow/fault-report.ts';
import { outcomeOf, refusal } from '../flow/outcome.ts';
import type { Forwarder } from '../forward/forwarder.ts';
import { routeOf } from '../forward/route.ts';
import { withLeader } from '../forward/with-leader.ts';
import type { MetadataCache } from '../metadata-cache/metadata-cache.ts';

/** What this broker's replicas can delete; see ReplicaManager. */
export interface LocalDeletions {
  deleteRecords(partitions: readonly DeleteRecordsPartition[], timeoutMs: number): Promise<DeletedRecords[]>;
}

export interface DeleteRecordsOptions {
  readonly nodeId: NodeId;
  readonly cache: MetadataCache;
  readonly replicas: LocalDeletions;
  readonly forwarder: Pick<Forwarder, 'deleteRecords'>;
  readonly faults: FaultReport;
  /** Why requests cannot be answered now; undefined: they can. */
  readonly closed: () => string | undefined;
}

export const DELETE_RECORDS_PARTITIONS_MAX = 10_000;
/** Longest wait for replicas; a request may ask for less. */
const TIMEOUT_MAX_MS = 300_000;

interface Entry extends DeleteRecordsPartition {
  readonly index: number;
}

export class DeleteRecordsService {
  readonly #options: DeleteRecordsOptions;

  constructor(options: DeleteRecordsOptions) {
    this.#options = options;
  }

  /** One reply per partition, in order. `forwarded`: another broker sent it here. INVALID_REQUEST beyond the limit. */
  async deleteRecords(
    request: DeleteRecordsRequest,
    { forwarded }: { readonly forwarded: boolean },
  ): Promise<DeleteRecordsReply> {
    const why = this.#options.closed();
    if (why !== undefined) throw new ApiError('LEADER_NOT_AVAILABLE', why);
    if (request.partitions.length > DELETE_RECORDS_PARTITIONS_MAX)
      throw new ApiError(
        'INVALID_REQUEST',
        `at most ${DELETE_RECORDS_PARTITIONS_MAX} partitions in one request`,
      );
    const { nodeId, cache } = this.#options;
    const timeoutMs = Math.min(request.timeoutMs, TIMEOUT_MAX_MS);
    const replies = request.partitions.map((one) => notDeleted(one, refusal('NETWORK_EXCEPTION')));
    const here: Entry[] = [];
    const there = new Map<NodeId, Entry[]>();
    for (const [index, one] of request.partitions.entries()) {
      const route = routeOf(cache.place(one.topic, one.partition), one, { nodeId, forwarded });
      if (route.kind === 'nowhere') replies[index] = notDeleted(one, route.outcome);
      else if (route.kind === 'here') here.push({ ...one, index });
      else there.set(route.nodeId, [...(there.get(route.nodeId) ?? []), { ...one, index }]);
    }
    const asked = [...there].map(([id, entries]) =>
      this.#ask(entries, replies, async () => {
        const reply = await this.#options.forwarder.deleteRecords(id, { partitions: entries, timeoutMs });
        return reply.partitions;
      }),
    );
    const own = this.#ask(here, replies, () => this.#options.replicas.deleteRecords(here, timeoutMs));
    await Promise.all([own, ...asked]);
    return { partitions: replies };
  }

  /** Fills in the replies of `entries`: what `call` answers for each, or why it failed. */
  async #ask(
    entries: readonly Entry[],
    replies: DeletedRecords[],
    call: () => Promise<readonly DeletedRecords[]>,
  ): Promise<void> {
    let answers: readonly DeletedRecords[];
    try {
      answers = await call();
    } catch (error) {
      this.#options.faults.report(error, 'deleting records failed');
      answers = entries.map((entry) => notDeleted(entry, outcomeOf(error)));
    }
    for (const [at, entry] of entries.entries()) {
      const answer = answers[at];
      if (answer !== undefined) replies[entry.index] = withLeader(this.#options.cache, answer);
    }
  }
}

function notDeleted(
  { topic, partition }: DeleteRecordsPartition,
  outcome: Outcome & { readonly currentLeader?: CurrentLeader },
): DeletedRecords {
  return { ...outcome, topic, partition, lowWatermark: NONE };
}
