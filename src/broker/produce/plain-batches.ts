/**
 * Plain records made into record batches, one per partition they go to, as Kafka's own clients would.
 *
 * A keyed record goes where murmur2 of its key says. Keyless records of one entry go together to one partition, the next
 * entry's to the next one that has a leader: even over time, and few large batches. Records that name no timestamp get
 * the broker's.
 */
import { NONE, type PartitionId, topicNameProblem, type WallMs } from '../../base/index.ts';
import { BatchBuilder, partitionForKey } from '../../log/record/index.ts';
import type { Outcome, PlainProduce, PlainRecord } from '../../rpc/api/index.ts';
import { refusal } from '../flow/outcome.ts';

export interface PlainTopic {
  readonly partitions: number;
  readonly hasLeader: (partition: PartitionId) => boolean;
}

export interface PlainBatch {
  readonly topic: string;
  readonly partition: PartitionId;
  readonly batch: Uint8Array;
}

export type PlainRefusal = Outcome & { readonly topic: string; readonly partition: PartitionId };

export interface PlainBatches {
  /** In the order of their first record; at most one per partition. */
  readonly batches: readonly PlainBatch[];
  /** One per entry that goes nowhere. */
  readonly refused: readonly PlainRefusal[];
}

/** Remembers, per topic, which partition keyless records went to last. */
export class KeylessTurns {
  readonly #next = new Map<string, number>();

  /** The next partition with a leader; without any, the next one. */
  take(topic: string, known: PlainTopic): PartitionId {
    const start = this.#next.get(topic) ?? 0;
    let partition = start % known.partitions;
    for (let tried = 0; tried < known.partitions; tried++) {
      const candidate = (start + tried) % known.partitions;
      if (!known.hasLeader(candidate)) continue;
      partition = candidate;
      break;
    }
    if (this.#next.size >= TOPICS_REMEMBERED_MAX) this.#next.clear();
    this.#next.set(topic, partition + 1);
    return partition;
  }
}

/** Forgetting costs evenness for a moment, nothing else. */
const TOPICS_REMEMBERED_MAX = 10_000;

export function plainBatches(
  entries: readonly PlainProduce[],
  find: (topic: string) => PlainTopic | undefined,
  turns: KeylessTurns,
  nowMs: WallMs,
): PlainBatches {
  const builders = new Map<string, { topic: string; partition: PartitionId; builder: BatchBuilder }>();
  const refused: PlainRefusal[] = [];
  for (const entry of entries) {
    const known = find(entry.topic);
    const problem = entryProblem(entry, known);
    if (problem !== undefined || known === undefined) {
      refused.push({ ...(problem ?? UNKNOWN), topic: entry.topic, partition: entry.partition ?? NONE });
      continue;
    }
    let keyless: PartitionId | undefined = entry.partition;
    for (const record of entry.records) {
      let partition = entry.partition;
      if (partition === undefined && record.key !== undefined)
        partition = partitionForKey(record.key, known.partitions);
      if (partition === undefined) {
        keyless ??= turns.take(entry.topic, known);
        partition = keyless;
      }
      const key = `${entry.topic}/${partition}`;
      let open = builders.get(key);
      if (open === undefined) {
        open = { topic: entry.topic, partition, builder: new BatchBuilder({ compression: 'none' }) };
        builders.set(key, open);
      }
      open.builder.append(toNewRecord(record, nowMs));
    }
  }
  const batches = [...builders.values()].map(({ topic, partition, builder }) => ({
    topic,
    partition,
    batch: builder.build(),
  }));
  return { batches, refused };
}

const UNKNOWN = refusal('UNKNOWN_TOPIC_OR_PARTITION');

function entryProblem(entry: PlainProduce, known: PlainTopic | undefined): Outcome | undefined {
  if (known === undefined) {
    const problem = topicNameProblem(entry.topic);
    return problem === undefined
      ? refusal('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic "${entry.topic}"; create it first`)
      : refusal('INVALID_TOPIC_EXCEPTION', problem);
  }
  const { partition } = entry;
  if (partition !== undefined && !(partition >= 0 && partition < known.partitions))
    return refusal(
      'UNKNOWN_TOPIC_OR_PARTITION',
      `topic "${entry.topic}" has partitions 0 to ${known.partitions - 1}, not ${partition}`,
    );
  if (entry.records.length === 0)
    return refusal('INVALID_RECORD', `nothing to append to "${entry.topic}": the entry has no records`);
  const bad = entry.records.find(({ timestampMs }) => timestampMs !== undefined && !isTimestamp(timestampMs));
  return bad === undefined
    ? undefined
    : refusal('INVALID_TIMESTAMP', `a timestamp is milliseconds since 1970, not ${bad.timestampMs}`);
}

function isTimestamp(ms: number): boolean {
  return Number.isSafeInteger(ms) && ms >= 0;
}

function toNewRecord(record: PlainRecord, nowMs: WallMs): Parameters<BatchBuilder['append']>[0] {
  return {
    key: record.key ?? null,
    value: record.value ?? null,
    headers: record.headers,
    timestampMs: record.timestampMs ?? nowMs,
  };
}
