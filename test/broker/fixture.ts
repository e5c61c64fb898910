/** A few brokers that share one image and reach one another directly; their replicas are logs in memory. */
import type { NodeId } from '../../src/base/index.ts';
import { ClientService } from '../../src/broker/client-service.ts';
import type { ControllerChannel } from '../../src/broker/controller/controller-channel.ts';
import type { QuorumView } from '../../src/broker/controller/quorum-view.ts';
import { FaultReport } from '../../src/broker/flow/fault-report.ts';
import { Forwarder } from '../../src/broker/forward/forwarder.ts';
import { MetadataCache } from '../../src/broker/metadata-cache/metadata-cache.ts';
import { Peers } from '../../src/broker/peers/peers.ts';
import { ProducerIds } from '../../src/broker/producer-ids/producer-ids.ts';
import { batches, readBatchHeader, stampBatch } from '../../src/log/record/index.ts';
import {
  advance,
  deltaFromEmpty,
  EMPTY_IMAGE,
  type MetadataImage,
  type MetadataRecord,
  replay,
} from '../../src/metadata/index.ts';
import type {
  BrokerService,
  CallContext,
  Connection,
  FetchPartition,
  FetchPartitionReply,
  ListOffsetsPartition,
  ListOffsetsPartitionReply,
  ProducePartition,
  ProducePartitionReply,
  ProduceRequest,
} from '../../src/rpc/api/index.ts';
import { createTestEnvironment } from '../../src/testing/twins/index.ts';

export const CLUSTER_ID = 'CCCCCCCCCCCCCCCCCCCCCA';
export const CALL: CallContext = { peer: 'test:1', signal: new AbortController().signal };

export function imageOf(...records: MetadataRecord[]): MetadataImage {
  return advance(records.reduce(replay, EMPTY_IMAGE), records.length, 1);
}

export function broker(id: NodeId, options: { fenced?: boolean; logDirs?: string[] } = {}): MetadataRecord {
  return {
    kind: 'register-broker',
    brokerId: id,
    incarnationId: `IIIIIIIIIIIIIIIIIIII${id}A`,
    brokerEpoch: Number(id),
    listeners: [
      { name: 'client', host: `broker${id}`, port: 9092 },
      { name: 'replica', host: `broker${id}`, port: 9093 },
    ],
    features: [],
    fenced: options.fenced ?? false,
    inControlledShutdown: false,
    logDirs: options.logDirs ?? [`DDDDDDDDDDDDDDDDDDDD${id}A`],
  };
}

/** A topic whose partition i is led by `leaders[i]` (-1: none), with brokers 1 to 3 as replicas in sync. */
export function topic(name: string, ...leaders: NodeId[]): MetadataRecord[] {
  const topicId = `${name.padEnd(21, 'T')}A`;
  const partitions = leaders.map(
    (leader, partitionId): MetadataRecord => ({
      kind: 'partition',
      partitionId,
      topicId,
      replicas: [1, 2, 3],
      isr: [1, 2, 3],
      removingReplicas: [],
      addingReplicas: [],
      leader,
      leaderRecoveryState: 'recovered',
      leaderEpoch: 7,
      partitionEpoch: 0,
      directories: [1, 2, 3].map((id) => `DDDDDDDDDDDDDDDDDDDD${id}A`),
    }),
  );
  return [{ kind: 'topic', name, topicId }, ...partitions];
}

/** Logs of the partitions one broker leads; every append is at once durable. */
export class MemoryReplicas {
  readonly logs = new Map<string, Uint8Array[]>();
  /** Requests in the order they came. */
  readonly appended: string[] = [];
  /** Waits for it before answering an append. */
  hold: Promise<void> = Promise.resolve();
  waiting: (() => void)[] = [];

  log(name: string): Uint8Array[] {
    const log = this.logs.get(name) ?? [];
    this.logs.set(name, log);
    return log;
  }

  async append(request: { batches: readonly ProducePartition[] }): Promise<ProducePartitionReply[]> {
    const replies = request.batches.map(({ topic, partition, batch }): ProducePartitionReply => {
      const log = this.log(`${topic}-${partition}`);
      const baseOffset = this.#end(log);
      stampBatch(batch, { baseOffset, leaderEpoch: 7 });
      log.push(batch);
      this.appended.push(`${topic}-${partition}@${baseOffset}`);
      const outcome = { error: 'NONE', topic, partition, baseOffset, leaderEpoch: 7 } as const;
      return { ...outcome, logStartOffset: 0, logAppendTimeMs: -1, replicas: [1, 2, 3], synced: true };
    });
    for (const wake of this.waiting.splice(0)) wake();
    await this.hold;
    return replies;
  }

  async fetch(request: {
    maxWaitMs: number;
    partitions: readonly FetchPartition[];
    signal: AbortSignal;
  }): Promise<FetchPartitionReply[]> {
    const read = (): FetchPartitionReply[] => request.partitions.map((partition) => this.#read(partition));
    let replies = read();
    while (request.maxWaitMs > 0 && replies.every(({ batches: found }) => found.length === 0)) {
      if (request.signal.aborted) break;
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
        request.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      replies = read();
    }
    return replies;
  }

  async listOffset({ topic, partition }: ListOffsetsPartition): Promise<ListOffsetsPartitionReply> {
    const offset = this.#end(this.log(`${topic}-${partition}`));
    return { error: 'NONE', topic, partition, offset, timestampMs: -1, leaderEpoch: 7 };
  }

  #read({ topic, partition, fetchOffset }: FetchPartition): FetchPartitionReply {
    const log = this.log(`${topic}-${partition}`);
    const found = log.filter((batch) => readBatchHeader(batch).lastOffset >= fetchOffset);
    const end = this.#end(log);
    const offsets = { highWatermark: end, lastStableOffset: end, logStartOffset: 0 };
    return { error: 'NONE', topic, partition, ...offsets, batches: found, records: [] };
  }

  #end(log: readonly Uint8Array[]): number {
    const last = log.at(-1);
    return last === undefined ? 0 : readBatchHeader(last).lastOffset + 1;
  }
}

export interface TestBroker {
  readonly id: NodeId;
  readonly service: ClientService;
  readonly replicas: MemoryReplicas;
  readonly cache: MetadataCache;
}

export interface TestBrokers {
  readonly environment: ReturnType<typeof createTestEnvironment>;
  get(id: NodeId): TestBroker;
  setImage(image: MetadataImage): void;
  /** Ends all streams between brokers and fails calls until `mend`. */
  cut(): void;
  mend(): void;
}

export function testBrokers(image: MetadataImage, ...ids: NodeId[]): TestBrokers {
  const environment = createTestEnvironment({ seed: 1 });
  const brokers = new Map<NodeId, TestBroker>();
  const road = { broken: false, breaks: new Set<() => void>() };
  const connect = ({ host, port }: { host: string; port: number }): Connection => {
    const peer = brokers.get(Number(host.replace('broker', '')));
    if (peer === undefined) throw new Error(`no broker at ${host}`);
    return {
      address: { host, port },
      broker: loopback(peer.service, road),
      close() {},
    } as unknown as Connection;
  };
  for (const id of ids) brokers.set(id, testBroker(id, environment, connect));
  const get = (id: NodeId): TestBroker => {
    const found = brokers.get(id);
    if (found === undefined) throw new Error(`no broker ${id}`);
    return found;
  };
  const setImage = (next: MetadataImage): void => {
    for (const { cache } of brokers.values()) cache.publish(deltaFromEmpty(next), next);
  };
  setImage(image);
  return {
    environment,
    get,
    setImage,
    cut() {
      road.broken = true;
      for (const one of road.breaks) one();
      road.breaks.clear();
    },
    mend() {
      road.broken = false;
    },
  };
}

function testBroker(
  id: NodeId,
  environment: ReturnType<typeof createTestEnvironment>,
  connect: (address: { host: string; port: number }) => Connection,
): TestBroker {
  const cache = new MetadataCache();
  const replicas = new MemoryReplicas();
  const quorum = { status: () => ({ leaderId: -1 }) } as unknown as QuorumView;
  const peers = new Peers({ transport: { connect }, cache, quorum, controllerEndpoints: () => undefined });
  const producerIds = new ProducerIds({
    nodeId: id,
    brokerEpoch: () => Number(id),
    controller: {} as ControllerChannel,
    waitMs: 1_000,
    signal: CALL.signal,
  });
  const service = new ClientService({
    nodeId: id,
    environment,
    cache,
    replicas,
    forwarder: new Forwarder(environment, peers),
    faults: new FaultReport(environment),
    producerIds,
    inflightBytesMax: 1_000_000,
    fetchMaxBytes: 1_000_000,
    cluster: () => ({ clusterId: CLUSTER_ID, controllerId: 9 }),
    closed: () => undefined,
  });
  return { id, service, replicas, cache };
}

function loopback(service: ClientService, road: { broken: boolean; breaks: Set<() => void> }): BrokerService {
  const check = (): void => {
    if (road.broken) throw new Error('the road is cut');
  };
  return {
    ...({} as BrokerService),
    async fetch(request, options) {
      check();
      const signal = options.signal ?? CALL.signal;
      const left = new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('the caller has left')), { once: true });
      });
      return Promise.race([service.fetch(request, { peer: 'broker', signal }), left]);
    },
    async listOffsets(request) {
      check();
      return service.listOffsets(request);
    },
    produceStream(replies) {
      const sink = service.produceStream(replies, CALL);
      const broken = (): void => replies.end(new Error('cut'));
      if (road.broken) queueMicrotask(broken);
      else road.breaks.add(broken);
      return sink;
    },
  };
}

export function produceRequest(fields: Partial<ProduceRequest>): ProduceRequest {
  return {
    correlationId: 1,
    clientId: 'test',
    acks: -1,
    timeoutMs: 1_000,
    partitions: [],
    plain: [],
    forwarded: false,
    ...fields,
  };
}

/** Values of all records of stored batches, in order. */
export function countOf(stored: readonly Uint8Array[]): number {
  let count = 0;
  for (const chunk of stored) for (const { header } of batches(chunk)) count += header.count;
  return count;
}
