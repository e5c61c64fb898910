/**
 * Implementations for transport tests: they answer from what they are asked, and refuse or break when told
 * to.
 */
import { ApiError } from '../../src/base/index.ts';
import type {
  BrokerService,
  CallContext,
  ControllerService,
  FetchReply,
  ProduceReply,
  ProduceRequest,
  QuorumService,
  ReplicaService,
  ServedServices,
  Sink,
} from '../../src/rpc/api/index.ts';

export const produceRequest = (
  correlationId: number,
  batch: Uint8Array = Buffer.from('batch'),
): ProduceRequest => ({
  correlationId,
  clientId: 'test',
  acks: -1,
  timeoutMs: 1000,
  partitions: [{ topic: 't', partition: 3, batch }],
  plain: [],
  forwarded: false,
});

/** Says the batch's first byte and length, so that a test sees that bytes have arrived. */
export function produceReply(request: ProduceRequest): ProduceReply {
  return {
    correlationId: request.correlationId,
    partitions: request.partitions.map(({ topic, partition, batch }) => ({
      topic,
      partition,
      error: 'NONE',
      baseOffset: batch.length,
      leaderEpoch: batch[0] ?? -1,
      logStartOffset: 0,
      logAppendTimeMs: -1,
      replicas: [1, 2, 3],
      synced: true,
    })),
  };
}

/** A consumer that keeps everything, in order, and tells when it ended. */
export class Collector<T> implements Sink<T> {
  readonly received: T[] = [];
  readonly ended: Promise<Error | undefined>;
  endings = 0;
  /** False from `send` on, until `open()`. */
  full = false;
  #resolveEnd!: (error: Error | undefined) => void;
  #waiting: (() => void)[] = [];
  #watchers: (() => void)[] = [];

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
  }

  send(message: T): boolean {
    this.received.push(message);
    for (const watcher of this.#watchers.splice(0)) watcher();
    return !this.full;
  }

  drained(): Promise<void> {
    return this.full ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }

  open(): void {
    this.full = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  end(error?: Error): void {
    this.endings++;
    this.#resolveEnd(error);
    for (const watcher of this.#watchers.splice(0)) watcher();
  }

  async count(count: number): Promise<readonly T[]> {
    while (this.received.length < count && this.endings === 0)
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    return this.received;
  }
}

/** What happened at the server, for tests to look at. */
export interface ServerSide {
  readonly services: ServedServices;
  /** Requests that have come by streams. */
  readonly requests: Collector<ProduceRequest>;
  /** Of the stream opened last. */
  replies: Sink<ProduceReply> | undefined;
  call: CallContext | undefined;
  /** Of each produce call in the order they came, taken while it ran. */
  readonly signals: AbortSignal[];
}

const unused = (): never => {
  throw new Error('not part of this test');
};

/**
 * produce: by client id: 'refuse', 'crash', 'hang', 'follow' (gives up when its caller does), else answers. produceStream: collects; the test answers.
 * fetchStream: answers each request at once. session: refuses at once.
 */
export function serverSide(): ServerSide {
  const broker: BrokerService<CallContext> = {
    async produce(request, call) {
      side.call = call;
      side.signals.push(call.signal);
      if (request.clientId === 'refuse') throw new ApiError('NOT_LEADER_OR_FOLLOWER', 'broker 7 leads t-3 ☃');
      if (request.clientId === 'crash') throw new Error('at /secret/path.ts:1');
      if (request.clientId === 'hang') return new Promise(() => {});
      if (request.clientId === 'follow')
        return new Promise((_, reject) =>
          call.signal.addEventListener('abort', () => reject(call.signal.reason as Error)),
        );
      return produceReply(request);
    },
    produceStream(replies, call) {
      side.replies = replies;
      side.call = call;
      return side.requests;
    },
    fetch: unused,
    fetchStream(replies) {
      return {
        send: ({ correlationId }) => replies.send({ correlationId, partitions: [] } satisfies FetchReply),
        drained: () => replies.drained(),
        end: (error) => replies.end(error),
      };
    },
    listOffsets: unused,
    async metadata(request) {
      const names = request.topics ?? ['all'];
      return {
        clusterId: 'c',
        controllerId: -1,
        brokers: [],
        topics: names.map((name) => ({ error: 'NONE', name, topicId: '', partitions: [] })),
        metadataOffset: 2 ** 53 - 1,
      };
    },
    initProducerId: unused,
  };
  const replica: ReplicaService<CallContext> = {
    replicaFetch: unused,
    deleteRecords: unused,
    async imageDigest() {
      return { nodeId: 1, offset: 5, digest: 'd' };
    },
    logDigest: unused,
  };
  const controller: Partial<ControllerService<CallContext>> = {
    session() {
      throw new ApiError('NOT_CONTROLLER');
    },
  };
  const quorum: Partial<QuorumService<CallContext>> = {
    async describeQuorum() {
      return {
        error: 'NONE',
        leaderId: 0,
        leaderEpoch: 4,
        highWatermark: 10,
        logEndOffset: 11,
        voters: [
          {
            replica: { id: 0, directoryId: 'x' },
            logEndOffset: 11,
            lastFetchAgeMs: 0,
            lastCaughtUpAgeMs: -1,
          },
        ],
        observers: [],
      };
    },
  };
  const side: ServerSide = {
    services: {
      broker,
      replica,
      controller: controller as ControllerService<CallContext>,
      quorum: quorum as QuorumService<CallContext>,
    },
    requests: new Collector(),
    replies: undefined,
    call: undefined,
    signals: [],
  };
  return side;
}
