/** What a check is asked for, and what it answers. */
import type { NodeId, Offset, PartitionId } from '../../base/index.ts';

/**
 * The kinds of anomalies, by their Jepsen names where Jepsen has one. An int- kind is seen inside of one operation, the kind
 * without it between two operations of one client. docs/testing/checker.md explains each.
 */
export const ANOMALY_KINDS = [
  'lost-write',
  'unseen',
  'duplicate',
  'G1a',
  'precommitted-read',
  'phantom',
  'corrupted-payload',
  'inconsistent-offsets',
  'offset-gap',
  'int-poll-skip',
  'int-nonmonotonic-poll',
  'poll-skip',
  'nonmonotonic-poll',
  'int-nonmonotonic-send',
  'nonmonotonic-send',
  'wrong-ack',
  'uncommitted-read',
  'high-watermark-regression',
  'stale-read',
] as const;

export type AnomalyKind = (typeof ANOMALY_KINDS)[number];

export interface Finding {
  readonly kind: AnomalyKind;
  /** One sentence for people, with the numbers. */
  readonly message: string;
  readonly topic: string;
  /** -1: it could be any. */
  readonly partition: PartitionId;
  readonly offset?: Offset;
  readonly value?: string;
  /** Indexes of the events that show it, ascending. */
  readonly events: readonly number[];
}

/** What a topic promises. */
export interface TopicDemands {
  /**
   * How many lossy failures of its replicas one partition need not survive. Fewer: nothing acknowledged is lost. As many: it
   * may be, and until the mark 'final' that partition is not judged by what it lost. Default 1.
   */
  readonly minInsyncReplicas?: number;
  /** What no disk has may be acknowledged (write.caching=true): 'unsynced' failures are lossy ones here. Default false. */
  readonly losesUnsynced?: boolean;
  /** Nodes that hold each partition, by its id. Default: every node may hold any. */
  readonly replicas?: readonly (readonly NodeId[])[];
  /** Records give way to later ones of their key: neither gaps nor losses are anomalies. Default false. */
  readonly compacted?: boolean;
  /** Old records go by themselves: what lies below a log start that was told is not missed. Default false. */
  readonly retention?: boolean;
}

export interface CheckOptions {
  /** By topic. */
  readonly topics?: Readonly<Record<string, TopicDemands>>;
  /** For topics that are not named. */
  readonly defaults?: TopicDemands;
  /** Kinds that are counted but are no reason to fail. */
  readonly allowed?: readonly AnomalyKind[];
  /**
   * Ends that are told never fall short of what any client has seen before, not only of what the asking one has. Kafka's
   * design promises that only while no deposed leader still answers; after the mark 'final' it is always demanded.
   */
  readonly realtimeEnds?: boolean;
  /** Counters that must not be zero. Default: acked and polled. */
  readonly required?: readonly CounterName[];
}

/** Fixed counters; beside them `fault:<name>` for each fault, and what `count` operations name. */
export const COUNTERS = [
  'events',
  'sends',
  'sent',
  'acked',
  'failed',
  'unknown',
  'recovered',
  'unread',
  'tolerated-duplicates',
  'tolerated-reorderings',
  'polls',
  'empty-polls',
  'polled',
  'polled-finally',
  'assigns',
  'ends',
  'crashes',
  'faults',
  'lossy-faults',
  'doubted-partitions',
] as const;

export type CounterName = (typeof COUNTERS)[number] | (string & {});

export interface Verdict {
  /** Nothing was found but what is allowed, and no required counter is zero. */
  readonly valid: boolean;
  /** Without the allowed ones; of each kind the first {@link FINDINGS_MAX}. */
  readonly findings: readonly Finding[];
  /** How many of each kind there are, the allowed ones included; kinds without any are absent. */
  readonly anomalies: Readonly<Partial<Record<AnomalyKind, number>>>;
  readonly counters: Readonly<Record<string, number>>;
  /** Required counters that are zero. */
  readonly missing: readonly CounterName[];
}

/** Findings of one kind that are kept; more are only counted. */
export const FINDINGS_MAX = 20;
