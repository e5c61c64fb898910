/**
 * Brokers in memory behind a Transport, in virtual time, that answer as brokers do and misbehave on demand:
 * `faults` is asked at every step of a produce frame or fetch. Bytes in flight are compared with what was
 * handed over.
 */
import assert from 'node:assert/strict';
import { ApiError, EnvironmentError, type ErrorCode } from '../../src/base/index.ts';
import { batchMaxTimestamp, readBatchHeader } from '../../src/log/record/index.ts';
import {
  type Address,
  type BrokerService,
  type Connection,
  EARLIEST_TIMESTAMP,
  type FetchReply,
  type FetchRequest,
  LATEST_TIMESTAMP,
  type ListOffsetsPartitionReply,
  type MetadataReply,
  type ProducePartitionReply,
  type ProduceReply,
  type ProduceRequest,
  type Sink,
  type Transport,
} from '../../src/rpc/api/index.ts';
import type { TestEnvironment } from '../../src/testing/twins/index.ts';
import { FakePartition } from './fake-partition.ts';

/** What happens to one produce frame or fetch at a broker. Everything absent: nothing bad. */
export interface Fate {
  /** Virtual time from the client to the broker, and back. */
  readonly thereMs?: number;
  readonly backMs?: number;
  /** The stream breaks before the frame is processed, or after it and before the answer. */
  readonly cut?: 'before' | 'after';
  /** The answer is lost without a word. */
  readonly silent?: boolean;
  /** Refuses every partition with it: before anything was appended, or after. */
  readonly refuse?: ErrorCode;
  readonly appendFirst?: boolean;
}

export type Faults = (
  kind: 'produce' | 'fetch',
  nodeId: number,
  request: ProduceRequest | FetchRequest,
) => Fate;

interface OpenStream {
  readonly nodeId: number;
  readonly cut: (error: Error) => void;
}

export class FakeCluster {
  readonly partitions = new Map<string, FakePartition>();
  readonly produced: ProduceRequest[] = [];
  readonly fetched: FetchRequest[] = [];
  readonly down = new Set<number>();
  /** Answers neither calls nor streams, but holds its connections. */
  readonly frozen = new Set<number>();
  faults: Faults = () => ({});
  metadataCalls = 0;
  /** Refusals carry the new leader. */
  hints = true;
  readonly #environment: TestEnvironment;
  readonly #brokers: number;
  readonly #topics = new Map<string, { id: string; count: number }>();
  readonly #streams = new Set<OpenStream>();
  #nextProducerId = 1000;
  #metadataOffset = 1;

  constructor(environment: TestEnvironment, brokers = 3) {
    this.#environment = environment;
    this.#brokers = brokers;
  }

  get bootstrap(): Address[] {
    return Array.from({ length: this.#brokers }, (_, id) => addressOf(id));
  }

  createTopic(name: string, count = 1): void {
    this.#topics.set(name, { id: `id-${name}-${this.#metadataOffset++}`, count });
    for (let index = 0; index < count; index++)
      this.partitions.set(`${name}-${index}`, new FakePartition(index % this.#brokers));
  }

  partition(name: string, index = 0): FakePartition {
    const found = this.partitions.get(`${name}-${index}`);
    assert.ok(found !== undefined, `${name}-${index}`);
    return found;
  }

  /** Another broker leads; `known` false: metadata still name the old one. */
  moveLeader(name: string, index: number, leaderId: number): void {
    this.partition(name, index).lead(leaderId);
    this.#metadataOffset++;
  }

  /** The broker dies: its streams break, calls to it fail. */
  kill(nodeId: number): void {
    this.down.add(nodeId);
    for (const stream of [...this.#streams]) if (stream.nodeId === nodeId) stream.cut(broken(nodeId));
  }

  transport(): Transport {
    return {
      serve: () => Promise.reject(new Error('not served')),
      connect: (address) => this.#connect(address),
      close: () => Promise.resolve(),
    };
  }

  #connect(address: Address): Connection {
    const nodeId = address.port - 9000;
    const refuse = new Proxy({}, { get: () => () => Promise.reject(new ApiError('UNSUPPORTED_VERSION')) });
    return {
      address,
      broker: this.#broker(nodeId),
      admin: refuse as Connection['admin'],
      replica: refuse as Connection['replica'],
      controller: refuse as Connection['controller'],
      quorum: refuse as Connection['quorum'],
      close: () => {},
    };
  }

  #broker(nodeId: number): BrokerService {
    const unary = <T>(answer: () => T, timeoutMs = 30_000): Promise<T> =>
      new Promise((resolve, reject) => {
        const { timers } = this.#environment;
        if (this.frozen.has(nodeId)) {
          timers.after(timeoutMs, () => reject(new EnvironmentError('deadline-exceeded', '', 'no answer')));
          return;
        }
        timers.after(0.2, () => {
          if (this.down.has(nodeId)) {
            reject(broken(nodeId));
            return;
          }
          try {
            resolve(answer());
          } catch (error) {
            reject(error);
          }
        });
      });
    return {
      produce: () => Promise.reject(new ApiError('UNSUPPORTED_VERSION')),
      fetch: () => Promise.reject(new ApiError('UNSUPPORTED_VERSION')),
      produceStream: (replies) =>
        this.#serve(nodeId, replies, 'produce', (request) => this.#produce(nodeId, request)),
      fetchStream: (replies) => this.#serveFetch(nodeId, replies),
      metadata: (request, call) => unary(() => this.#metadata(request.topics), call.timeoutMs),
      listOffsets: (request, call) =>
        unary(
          () => ({ partitions: request.partitions.map((one) => this.#listOffset(nodeId, one)) }),
          call.timeoutMs,
        ),
      initProducerId: (_, call) =>
        unary(() => ({ producerId: this.#nextProducerId++, producerEpoch: 0 }), call.timeoutMs),
    };
  }

  #metadata(names?: readonly string[]): MetadataReply {
    this.metadataCalls++;
    const topics = (names ?? [...this.#topics.keys()]).map((name) => {
      const topic = this.#topics.get(name);
      if (topic === undefined)
        return { error: 'UNKNOWN_TOPIC_OR_PARTITION' as const, name, topicId: '', partitions: [] };
      const partitions = Array.from({ length: topic.count }, (_, partition) => {
        const { leaderId, leaderEpoch } = this.partition(name, partition);
        return {
          error: 'NONE' as const,
          partition,
          leaderId,
          leaderEpoch,
          partitionEpoch: leaderEpoch,
          replicas: [],
          isr: [],
          offlineReplicas: [],
        };
      });
      return { error: 'NONE' as const, name, topicId: topic.id, partitions };
    });
    const alive = this.bootstrap
      .map((address, nodeId) => ({ nodeId, address }))
      .filter(({ nodeId }) => !this.down.has(nodeId));
    return { clusterId: 'c', controllerId: 0, brokers: alive, topics, metadataOffset: this.#metadataOffset };
  }

  #listOffset(
    nodeId: number,
    asked: { topic: string; partition: number; timestampMs: number },
  ): ListOffsetsPartitionReply {
    const { topic, partition, timestampMs } = asked;
    const found = this.partition(topic, partition);
    const answer = { topic, partition, timestampMs: -1, leaderEpoch: found.leaderEpoch };
    if (found.leaderId !== nodeId)
      return { ...answer, error: 'NOT_LEADER_OR_FOLLOWER', offset: -1, ...this.#hint(found) };
    if (timestampMs === EARLIEST_TIMESTAMP) return { ...answer, error: 'NONE', offset: found.logStart };
    if (timestampMs === LATEST_TIMESTAMP) return { ...answer, error: 'NONE', offset: found.end };
    const batch = found.log.find((one) => batchMaxTimestamp(one) >= timestampMs);
    return { ...answer, error: 'NONE', offset: batch === undefined ? -1 : readBatchHeader(batch).baseOffset };
  }

  #produce(nodeId: number, request: ProduceRequest): ProduceReply {
    const partitions = request.partitions.map(({ topic, partition, batch }): ProducePartitionReply => {
      const found = this.partitions.get(`${topic}-${partition}`);
      const nowhere = {
        topic,
        partition,
        baseOffset: -1,
        leaderEpoch: -1,
        logStartOffset: 0,
        logAppendTimeMs: -1,
      };
      const bare = { ...nowhere, replicas: [], synced: false };
      if (found === undefined) return { ...bare, error: 'UNKNOWN_TOPIC_OR_PARTITION' };
      if (found.leaderId !== nodeId)
        return { ...bare, error: 'NOT_LEADER_OR_FOLLOWER', ...this.#hint(found) };
      const { error, message, offset } = found.append(batch);
      if (error !== 'NONE')
        return { ...bare, error, ...(message === undefined ? {} : { errorMessage: message }) };
      return {
        ...bare,
        error,
        baseOffset: offset,
        leaderEpoch: found.leaderEpoch,
        replicas: [0, 1, 2],
        synced: true,
      };
    });
    return { correlationId: request.correlationId, partitions };
  }

  #hint({ leaderId, leaderEpoch }: FakePartition): Pick<ProducePartitionReply, 'currentLeader'> {
    return this.hints
      ? { currentLeader: { nodeId: leaderId, leaderEpoch, address: addressOf(leaderId) } }
      : {};
  }

  /** A stream whose frames are processed in order, each with its own fate. */
  #serve(
    nodeId: number,
    replies: Sink<ProduceReply>,
    kind: 'produce',
    answer: (request: ProduceRequest) => ProduceReply,
  ): Sink<ProduceRequest> {
    const stream = this.#open(nodeId, replies);
    const line: { request: ProduceRequest; wire: Buffer[]; fate: Fate }[] = [];
    const process = (): void => {
      const frame = line.shift();
      if (frame === undefined) return;
      const { request, wire, fate } = frame;
      request.partitions.forEach(({ batch }, index) => {
        assert.ok(wire[index]?.equals(batch), 'bytes changed while they were on their way');
      });
      if (this.frozen.has(nodeId) || this.down.has(nodeId)) return;
      if (fate.cut === 'before') {
        stream.cut(broken(nodeId));
        return;
      }
      const appended = fate.refuse === undefined || fate.appendFirst === true ? answer(request) : undefined;
      if (fate.cut === 'after') {
        stream.cut(broken(nodeId));
        return;
      }
      if (fate.silent || request.acks === 0) return;
      const reply = fate.refuse === undefined ? appended : refusal(request, fate.refuse);
      if (reply !== undefined)
        this.#environment.timers.after(fate.backMs ?? 0.1, () => stream.isOpen() && replies.send(reply));
    };
    return {
      send: (request) => {
        this.produced.push(request);
        const fate = this.faults(kind, nodeId, request);
        line.push({ request, wire: request.partitions.map(({ batch }) => Buffer.from(batch)), fate });
        this.#environment.timers.after(fate.thereMs ?? 0.1, process);
        return true;
      },
      drained: () => Promise.resolve(),
      end: () => stream.close(),
    };
  }

  #open(nodeId: number, replies: Sink<never> | Sink<ProduceReply> | Sink<FetchReply>) {
    let open = true;
    const stream = {
      nodeId,
      isOpen: () => open,
      close: () => {
        open = false;
        this.#streams.delete(stream);
      },
      cut: (error: Error) => {
        if (!open) return;
        stream.close();
        replies.end(error);
      },
    };
    this.#streams.add(stream);
    if (this.down.has(nodeId)) this.#environment.timers.after(0.2, () => stream.cut(broken(nodeId)));
    return stream;
  }

  #serveFetch(nodeId: number, replies: Sink<FetchReply>): Sink<FetchRequest> {
    const stream = this.#open(nodeId, replies);
    const { timers, clock } = this.#environment;
    const look = (request: FetchRequest, fate: Fate, untilMs: number): void => {
      if (this.frozen.has(nodeId) || !stream.isOpen()) return;
      if (fate.cut !== undefined) {
        stream.cut(broken(nodeId));
        return;
      }
      const reply = this.#fetch(nodeId, request);
      const ripe = reply.partitions.some((one) => one.error !== 'NONE' || one.batches.length > 0);
      if (!ripe && clock.monotonicMs() < untilMs) {
        timers.after(5, () => look(request, fate, untilMs));
        return;
      }
      const { refuse } = fate;
      const partitions = reply.partitions.map((one) =>
        refuse === undefined ? one : { ...one, error: refuse, batches: [] },
      );
      if (!fate.silent)
        timers.after(fate.backMs ?? 0.1, () => stream.isOpen() && replies.send({ ...reply, partitions }));
    };
    return {
      send: (request) => {
        this.fetched.push(request);
        const fate = this.faults('fetch', nodeId, request);
        timers.after(fate.thereMs ?? 0.1, () => look(request, fate, clock.monotonicMs() + request.maxWaitMs));
        return true;
      },
      drained: () => Promise.resolve(),
      end: () => stream.close(),
    };
  }

  #fetch(nodeId: number, request: FetchRequest): FetchReply {
    const partitions = request.partitions.map((asked) => {
      const { topic, partition } = asked;
      const found = this.partition(topic, partition);
      const log = { highWatermark: found.end, lastStableOffset: found.end, logStartOffset: found.logStart };
      const answer = { topic, partition, ...log, batches: [] as Uint8Array[], records: [] };
      const refuse = (error: ErrorCode) => ({ ...answer, error, highWatermark: -1, ...this.#hint(found) });
      if (asked.currentLeaderEpoch < found.leaderEpoch) return refuse('FENCED_LEADER_EPOCH');
      if (asked.currentLeaderEpoch > found.leaderEpoch) return refuse('UNKNOWN_LEADER_EPOCH');
      if (found.leaderId !== nodeId) return refuse('NOT_LEADER_OR_FOLLOWER');
      if (asked.fetchOffset < found.logStart || asked.fetchOffset > found.end)
        return refuse('OFFSET_OUT_OF_RANGE');
      return {
        ...answer,
        error: 'NONE' as ErrorCode,
        batches: found.read(asked.fetchOffset, asked.maxBytes),
      };
    });
    return { correlationId: request.correlationId, partitions };
  }
}

function refusal(request: ProduceRequest, error: ErrorCode): ProduceReply {
  const partitions = request.partitions.map(({ topic, partition }) => ({
    topic,
    partition,
    error,
    baseOffset: -1,
    leaderEpoch: -1,
    logStartOffset: 0,
    logAppendTimeMs: -1,
    replicas: [],
    synced: false,
  }));
  return { correlationId: request.correlationId, partitions };
}

export function addressOf(nodeId: number): Address {
  return { host: 'fake', port: 9000 + nodeId };
}

function broken(nodeId: number): EnvironmentError {
  return new EnvironmentError('disconnected', `broker ${nodeId}`, `broker ${nodeId} is gone`);
}
