/** All that is known of a history while it is gone through: topics and partitions as they turn up, values, what was found. */
import type { Offset, PartitionId } from '../../base/index.ts';
import { Findings } from './findings.ts';
import { PartitionLog } from './partition-log.ts';
import { Values } from './values.ts';
import { type CheckOptions, COUNTERS, type TopicDemands } from './verdict.ts';

export interface TopicCase {
  readonly name: string;
  readonly demands: TopicDemands;
  /** Numbers of its values by name. */
  readonly values: Map<string, number>;
  readonly partitions: Map<PartitionId, PartitionCase>;
}

/** What a partition had lost when it turned up: nothing; something, but all has been whole since; something. */
export type Loss = 'none' | 'healed' | 'open';

export class PartitionCase {
  readonly topic: TopicCase;
  readonly id: PartitionId;
  /** Those before the last were given up: see loss-budget.ts. */
  readonly logs: PartitionLog[];
  /** Records below may be gone: they were deleted, or retention may have taken them. */
  goneBelow: Offset = 0;
  /** The event from which on it may have lost something. */
  doubtedAt = Infinity;

  constructor(topic: TopicCase, id: PartitionId, loss: Loss) {
    this.topic = topic;
    this.id = id;
    this.logs = [new PartitionLog(loss !== 'open')];
    if (loss !== 'none') this.doubtedAt = 0;
  }

  /** The log as it is seen now. */
  get log(): PartitionLog {
    return this.logs[this.logs.length - 1] as PartitionLog;
  }

  /** It may have lost something, at some time. */
  get wasDoubted(): boolean {
    return this.doubtedAt < Infinity;
  }

  /** The log that an observer who knew `log` sees now: the same, or what came in its place. */
  presentOf(log: PartitionLog): PartitionLog {
    return log.successor ?? log;
  }

  place(offset: Offset): string {
    return `${this.topic.name}-${this.id}@${offset}`;
  }

  /** Retention is a reason to believe a log start that was told; without it, records are missing. */
  handleLogStart(logStartOffset: Offset | undefined): void {
    if (this.topic.demands.retention === true && logStartOffset !== undefined)
      this.goneBelow = Math.max(this.goneBelow, logStartOffset);
  }
}

export class Case {
  readonly findings = new Findings();
  readonly values = new Values();
  readonly counters = new Map<string, number>(COUNTERS.map((name) => [name, 0]));
  readonly topics = new Map<string, TopicCase>();
  readonly options: CheckOptions;
  /** Index of the mark 'final'. */
  finalAt = Infinity;
  /** What a partition that turns up now may have lost beyond what it must bear. */
  lossOf: (partition: PartitionId, demands: TopicDemands) => Loss = () => 'none';

  constructor(options: CheckOptions) {
    this.options = options;
  }

  count(name: string, by = 1): void {
    this.counters.set(name, (this.counters.get(name) ?? 0) + by);
  }

  topic(name: string): TopicCase {
    const known = this.topics.get(name);
    if (known !== undefined) return known;
    const demands = this.options.topics?.[name] ?? this.options.defaults ?? {};
    const topic = { name, demands, values: new Map(), partitions: new Map() };
    this.topics.set(name, topic);
    return topic;
  }

  partition(topicName: string, id: PartitionId): PartitionCase {
    const topic = this.topic(topicName);
    const known = topic.partitions.get(id);
    if (known !== undefined) return known;
    const partition = new PartitionCase(topic, id, this.lossOf(id, topic.demands));
    if (partition.wasDoubted) this.count('doubted-partitions');
    topic.partitions.set(id, partition);
    return partition;
  }

  *partitions(): Iterable<PartitionCase> {
    for (const { partitions } of this.topics.values()) yield* partitions.values();
  }
}
