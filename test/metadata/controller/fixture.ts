/** A controller without quorum, time or network: decides, replays at once, remembers the records. */
import { type ApiError, type ErrorName, SeededRandom, uuidFromBytes } from '../../../src/base/index.ts';
import type { Decision } from '../../../src/machine/index.ts';
import {
  BrokerSessions,
  type ControllerConfig,
  type DecideContext,
  decideAlterPartition,
  decideAssignDirectories,
  decideCreateTopics,
  decideHeartbeat,
  decideRegisterBroker,
  type HeartbeatResult,
} from '../../../src/metadata/controller/index.ts';
import {
  advance,
  EMPTY_IMAGE,
  type MetadataImage,
  type MetadataRecord,
  type PartitionRegistration,
  replay,
} from '../../../src/metadata/index.ts';
import type {
  AlterPartition,
  BrokerHeartbeat,
  CreatableTopic,
  RegisterBrokerRequest,
} from '../../../src/rpc/api/index.ts';

export const CLUSTER = 'Q2x1c3RlckNsdXN0ZXJDbA';

export const CONFIG: ControllerConfig = {
  brokerHeartbeatIntervalMs: 2000,
  brokerSessionTimeoutMs: 9000,
  brokerDisconnectGraceMs: 500,
  metadataMaxIdleIntervalMs: 500,
  requestTimeoutMs: 30_000,
  numPartitions: 1,
  defaultReplicationFactor: 1,
  deleteTopicEnable: true,
  staticConfig: {},
};

/** Sixteen bytes that begin with `head`: `id(7)` is always the same id. */
export function id(head: number, kind = 0): string {
  return uuidFromBytes(
    Uint8Array.of(head & 0xff, (head >> 8) & 0xff, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
  );
}

export function registerRequest(
  brokerId: number,
  changes: Partial<RegisterBrokerRequest> = {},
): RegisterBrokerRequest {
  return {
    clusterId: CLUSTER,
    brokerId,
    incarnationId: id(brokerId, 1),
    listeners: [
      { name: 'client', host: 'localhost', port: 9000 + brokerId },
      { name: 'replica', host: 'localhost', port: 9100 + brokerId },
    ],
    logDirs: [id(brokerId, 2)],
    features: [],
    previousBrokerEpoch: -1,
    ...changes,
  };
}

export function topicRequest(name: string, changes: Partial<CreatableTopic> = {}): CreatableTopic {
  return { name, partitions: -1, replicationFactor: -1, assignments: [], configs: {}, ...changes };
}

export class ControllerFixture {
  image: MetadataImage = EMPTY_IMAGE;
  nowMs = 0;
  config: ControllerConfig = CONFIG;
  readonly sessions = new BrokerSessions(CONFIG);
  readonly random: SeededRandom;
  /** Of the last decision. */
  records: readonly MetadataRecord[] = [];
  readonly streams = new Map<number, object>();

  constructor(seed = 1) {
    this.random = new SeededRandom(seed);
  }

  get context(): DecideContext {
    const { nowMs, random, config, sessions } = this;
    return { nowMs, random, config, sessions, nextOffset: this.image.offset, clusterId: CLUSTER };
  }

  /** Carries the decision out; throws what it refuses with. */
  run<Reply>(
    decide: (image: MetadataImage, context: DecideContext) => Decision<MetadataRecord, Reply>,
  ): Reply {
    const decision = decide(this.image, this.context);
    if (decision.kind === 'refused') throw decision.error;
    this.records = decision.records;
    this.apply(decision.records);
    return decision.reply;
  }

  refusal(
    decide: (image: MetadataImage, context: DecideContext) => Decision<MetadataRecord, unknown>,
  ): ErrorName {
    try {
      this.run(decide);
    } catch (error) {
      return (error as ApiError).code;
    }
    throw new Error('accepted');
  }

  apply(records: readonly MetadataRecord[]): void {
    if (records.length === 0) return;
    this.image = advance(records.reduce(replay, this.image), this.image.offset, 1);
  }

  register(brokerId: number, changes: Partial<RegisterBrokerRequest> = {}): number {
    const before: number = this.image.offset;
    const { brokerEpoch } = this.run((image, context) =>
      decideRegisterBroker(image, registerRequest(brokerId, changes), context),
    );
    if (brokerEpoch === before) this.sessions.register(brokerId, this.nowMs);
    return brokerEpoch;
  }

  /** A heartbeat of the registered incarnation that has published everything, through its own stream. */
  heartbeat(brokerId: number, changes: Partial<BrokerHeartbeat> & { offset?: number } = {}): HeartbeatResult {
    const stream = this.streams.get(brokerId) ?? {};
    this.streams.set(brokerId, stream);
    const heartbeat = {
      correlationId: 0,
      brokerId,
      brokerEpoch: this.image.cluster.brokers.get(brokerId)?.epoch ?? -1,
      currentMetadataOffset: changes.offset ?? this.image.offset,
      wantFence: false,
      wantShutdown: false,
      offlineLogDirs: [],
      ...changes,
    };
    this.sessions.touch(brokerId, stream, heartbeat, this.nowMs);
    const result = this.run((image, context) => decideHeartbeat(image, heartbeat, context));
    if (result.from !== result.to && result.to === 'controlled-shutdown')
      this.sessions.setShutdownOffset(brokerId, this.image.offset);
    return result;
  }

  /** Registered and unfenced. */
  start(...brokerIds: number[]): this {
    for (const brokerId of brokerIds) {
      this.register(brokerId);
      this.heartbeat(brokerId);
    }
    return this;
  }

  fence(brokerId: number): void {
    this.heartbeat(brokerId, { wantFence: true });
  }

  disconnect(brokerId: number): boolean {
    const stream = this.streams.get(brokerId) ?? {};
    this.streams.delete(brokerId);
    return this.sessions.disconnect(brokerId, stream, this.nowMs);
  }

  create(...topics: CreatableTopic[]) {
    return this.run((image, context) =>
      decideCreateTopics(image, { topics, validateOnly: false, timeoutMs: 1000 }, context),
    ).topics;
  }

  partition(topic: string, partition = 0): PartitionRegistration {
    const found = this.image.topics.find(topic)?.partitions[partition];
    if (found === undefined) throw new Error(`no ${topic}-${partition}`);
    return found;
  }

  /** What the leader of a partition would ask for now, unless told otherwise. */
  alterPartition(topic: string, isr: number[], changes: Partial<AlterPartition> & { from?: number } = {}) {
    const { leader, leaderEpoch, partitionEpoch } = this.partition(topic);
    const { from = leader, ...rest } = changes;
    const partition: AlterPartition = {
      topicId: this.image.topics.find(topic)?.id ?? '',
      partition: 0,
      leaderEpoch,
      partitionEpoch,
      newIsr: isr.map((brokerId) => ({ brokerId, brokerEpoch: this.epochOf(brokerId) })),
      leaderRecoveryState: 'recovered',
      ...rest,
    };
    const request = { brokerId: from, brokerEpoch: this.epochOf(from), partitions: [partition] };
    return this.run((image, context) => decideAlterPartition(image, request, context)).partitions[0]!;
  }

  /** Says where a replica lives. */
  assign(brokerId: number, directoryId: string, topic = 'lines', partition = 0) {
    const topicId = this.image.topics.find(topic)?.id ?? '';
    const request = {
      brokerId,
      brokerEpoch: this.epochOf(brokerId),
      replicas: [{ topicId, partition, directoryId }],
    };
    return this.run((image, context) => decideAssignDirectories(image, request, context)).replicas[0]!;
  }

  epochOf(brokerId: number): number {
    return this.image.cluster.brokers.get(brokerId)?.epoch ?? -1;
  }
}
