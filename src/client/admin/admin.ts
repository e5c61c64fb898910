import { ApiError, type ErrorCode, type NodeId, type PartitionId, type Uuid } from '../../base/index.ts';
import type { DescribeQuorumReply } from '../../raft/core/messages.ts';
import type {
  AlterConfigsRequest,
  AlteredConfigs,
  CallOptions,
  ConfigEntry,
  ConfigResource,
  Connection,
  CreatedTopic,
  DeletedTopic,
  DescribeClusterReply,
  DescribedConfigs,
  LogDigestReply,
  LogDigestRequest,
  Outcome,
  TopicDescription,
} from '../../rpc/api/index.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { deleteRecords, type RecordsDeleted, type RecordsToDelete } from './delete-records.ts';
import { listTopicOffsets, type OffsetTime, type PartitionOffset } from './list-topic-offsets.ts';
import { type LogVerdict, verifyLog } from './verify-log.ts';

export interface AdminOptions {
  /** For the whole call, retries included. Default: the client's `requestTimeoutMs`. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What a new topic shall be. Whatever is left out follows the cluster's defaults. */
export interface TopicSpec {
  /** Default: num.partitions. */
  readonly partitions?: number;
  /** Default: default.replication.factor. */
  readonly replicationFactor?: number;
  /** Brokers of partition i at index i, the preferred leader first; instead of the two numbers above. */
  readonly assignments?: readonly (readonly NodeId[])[];
  /** Topic configs by Kafka's names, such as `{ 'min.insync.replicas': '2' }`. */
  readonly configs?: Readonly<Record<string, string>>;
}

export interface CreateTopicsOptions extends AdminOptions {
  /** Check only. */
  readonly validateOnly?: boolean;
}

/** The broker gives up before the call does, so that its reason arrives. */
const ANSWER_SLACK_MS = 500;

/**
 * Topics, configs and the state of the cluster. Any broker answers; what the controller decides is forwarded
 * to it.
 *
 * Methods on one thing throw its refusal as {@link ApiError}; methods on many return an outcome for each, in
 * the order asked, with `error` NONE on success, and throw only when nobody answers.
 */
export class Admin {
  readonly #cluster: Cluster;
  readonly #timeoutMs: number;

  /** Use `client.admin`. */
  constructor(cluster: Cluster, timeoutMs: number) {
    this.#cluster = cluster;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Resolves when every partition has a leader and every live broker knows the topic: it can be used at once.
   */
  async createTopic(
    name: string,
    spec: TopicSpec = {},
    options: CreateTopicsOptions = {},
  ): Promise<CreatedTopic> {
    const [outcome] = await this.createTopics([{ name, ...spec }], options);
    return accepted(outcome, `topic ${name}`);
  }

  async createTopics(
    topics: readonly (TopicSpec & { readonly name: string })[],
    options: CreateTopicsOptions = {},
  ): Promise<readonly CreatedTopic[]> {
    const request = {
      topics: topics.map((topic) => ({
        name: topic.name,
        partitions: topic.partitions ?? -1,
        replicationFactor: topic.replicationFactor ?? -1,
        assignments: topic.assignments ?? [],
        configs: topic.configs ?? {},
      })),
      validateOnly: options.validateOnly ?? false,
    };
    const reply = await this.#ask('creating topics', options, ({ admin }, call) =>
      admin.createTopics({ ...request, timeoutMs: brokerTimeout(call) }, call),
    );
    return reply.topics;
  }

  /** Deletes the topic and all its records. */
  async deleteTopic(name: string, options: AdminOptions = {}): Promise<DeletedTopic> {
    const [outcome] = await this.deleteTopics([name], options);
    return accepted(outcome, `topic ${name}`);
  }

  /** By name or by topic id. */
  async deleteTopics(
    topics: readonly (string | { readonly topicId: Uuid })[],
    options: AdminOptions = {},
  ): Promise<readonly DeletedTopic[]> {
    const named = topics.map((topic) => (typeof topic === 'string' ? { name: topic } : topic));
    const reply = await this.#ask('deleting topics', options, ({ admin }, call) =>
      admin.deleteTopics({ topics: named, timeoutMs: brokerTimeout(call) }, call),
    );
    return reply.topics;
  }

  /**
   * Removes the oldest records of partitions, for good: readers miss them at once, and an outcome without error says that
   * no live replica holds them any more. OFFSET_OUT_OF_RANGE above the high watermark; POLICY_VIOLATION where cleanup.policy
   * has no delete; REQUEST_TIMED_OUT names the brokers that still hold them.
   *
   *     await admin.deleteRecords([{ topic: 'orders', partition: 0, before: 1000 }]);
   */
  deleteRecords(
    records: readonly RecordsToDelete[],
    options: AdminOptions = {},
  ): Promise<readonly RecordsDeleted[]> {
    const { timeoutMs = this.#timeoutMs, signal } = options;
    return deleteRecords(this.#cluster, records, { timeoutMs, signal });
  }

  /** An offset of each partition of `topic`, ascending by partition. */
  listOffsets(
    topic: string,
    time: OffsetTime,
    options: AdminOptions = {},
  ): Promise<readonly PartitionOffset[]> {
    const { timeoutMs = this.#timeoutMs, signal } = options;
    return listTopicOffsets(this.#cluster, topic, time, { timeoutMs, signal });
  }

  /**
   * Compares what the replicas of a partition have on disk, below what all of them have committed. May take long: brokers read
   * slowly on purpose, `timeoutMs` is for each question. Not for compacted topics, whose replicas differ for good reasons.
   */
  async verifyLog(topic: string, partition: PartitionId, options: AdminOptions = {}): Promise<LogVerdict> {
    const { partitions } = await this.describeTopic(topic, options);
    const described = partitions[partition];
    if (described === undefined)
      throw new ApiError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} has no partition ${partition}`);
    const ask = (request: LogDigestRequest): Promise<LogDigestReply> =>
      this.#ask('comparing replicas', options, ({ admin }, call) => admin.logDigest(request, call));
    return verifyLog({ topic, partition, replicas: described.replicas }, { ask });
  }

  /** All topics with their partitions, by name. */
  async listTopics(options: AdminOptions = {}): Promise<readonly TopicDescription[]> {
    const reply = await this.#ask('listing topics', options, ({ broker }, call) => broker.metadata({}, call));
    return reply.topics.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async describeTopic(name: string, options: AdminOptions = {}): Promise<TopicDescription> {
    const [topic] = await this.describeTopics([name], options);
    return accepted(topic, `topic ${name}`);
  }

  async describeTopics(
    names: readonly string[],
    options: AdminOptions = {},
  ): Promise<readonly TopicDescription[]> {
    const reply = await this.#ask('describing topics', options, ({ broker }, call) =>
      broker.metadata({ topics: names }, call),
    );
    return names.map((name) => reply.topics.find((topic) => topic.name === name) ?? unknownTopic(name));
  }

  /** Brokers, controllers, and who is active, as the answering broker knows it. */
  describeCluster(options: AdminOptions = {}): Promise<DescribeClusterReply> {
    return this.#ask('describing the cluster', options, ({ admin }, call) => admin.describeCluster({}, call));
  }

  /** Leader, epoch, high watermark, and how far each replica of the metadata log is. */
  describeQuorum(options: AdminOptions = {}): Promise<DescribeQuorumReply> {
    return this.#ask('describing the quorum', options, ({ admin }, call) => admin.describeQuorum({}, call));
  }

  /** Effective configs of one topic: each with where its value comes from. */
  async describeTopicConfigs(topic: string, options: AdminOptions = {}): Promise<readonly ConfigEntry[]> {
    const [outcome] = await this.describeConfigs([{ type: 'topic', name: topic }], options);
    return accepted(outcome, `topic ${topic}`).entries;
  }

  async describeConfigs(
    resources: readonly ConfigResource[],
    options: AdminOptions = {},
  ): Promise<readonly DescribedConfigs[]> {
    const reply = await this.#ask('describing configs', options, ({ admin }, call) =>
      admin.describeConfigs({ resources }, call),
    );
    return reply.resources;
  }

  /** Sets topic configs; undefined takes the topic's own value away, so that the default shows again. */
  async alterTopicConfigs(
    topic: string,
    configs: Readonly<Record<string, string | undefined>>,
    options: CreateTopicsOptions = {},
  ): Promise<void> {
    const operations = Object.entries(configs).map(([name, value]) =>
      value === undefined ? { kind: 'delete' as const, name } : { kind: 'set' as const, name, value },
    );
    const [outcome] = await this.alterConfigs([{ type: 'topic', name: topic, operations }], options);
    accepted(outcome, `topic ${topic}`);
  }

  async alterConfigs(
    changes: AlterConfigsRequest['changes'],
    options: CreateTopicsOptions = {},
  ): Promise<readonly AlteredConfigs[]> {
    const reply = await this.#ask('altering configs', options, ({ admin }, call) =>
      admin.alterConfigs({ changes, validateOnly: options.validateOnly ?? false }, call),
    );
    return reply.resources;
  }

  #ask<T>(
    what: string,
    options: AdminOptions,
    call: (connection: Connection, options: CallOptions) => Promise<T>,
  ): Promise<T> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    return this.#cluster.ask(what, call, { timeoutMs, signal: options.signal });
  }
}

function brokerTimeout(call: CallOptions): number {
  const timeoutMs = call.timeoutMs ?? 0;
  return Math.max(1, Math.floor(timeoutMs - Math.min(ANSWER_SLACK_MS, timeoutMs / 2)));
}

function accepted<T extends Outcome>(outcome: T | undefined, what: string): T {
  const error: ErrorCode = outcome?.error ?? 'UNKNOWN_SERVER_ERROR';
  if (outcome !== undefined && error === 'NONE') return outcome;
  const message = outcome?.errorMessage;
  throw new ApiError(
    error === 'NONE' ? 'UNKNOWN_SERVER_ERROR' : error,
    message ?? `${what}: refused with ${error}`,
  );
}

function unknownTopic(name: string): TopicDescription {
  return {
    error: 'UNKNOWN_TOPIC_OR_PARTITION',
    errorMessage: `there is no topic "${name}"`,
    name,
    topicId: '',
    partitions: [],
  };
}
