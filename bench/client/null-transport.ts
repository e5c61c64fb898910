/**
 * A broker that takes everything at once and keeps nothing but the last batches: what is left to measure is
 * the client.
 */
import type {
  Connection,
  FetchReply,
  FetchRequest,
  ProduceReply,
  ProduceRequest,
  Sink,
  Transport,
} from '../../src/rpc/api/index.ts';

const TOPIC = 'bench';

export interface NullTransport extends Transport {
  /** What every fetch is answered with; its offsets are stamped on the fly. */
  batch: Uint8Array | undefined;
  recordsPerBatch: number;
  produced: { batches: number; bytes: number; frames: number };
}

export function nullTransport(partitions: number): NullTransport {
  const transport: NullTransport = {
    batch: undefined,
    recordsPerBatch: 0,
    produced: { batches: 0, bytes: 0, frames: 0 },
    serve: () => Promise.reject(new Error('not served')),
    close: () => Promise.resolve(),
    connect: (address) => {
      const never = () => Promise.reject(new Error('not served'));
      const broker = {
        produce: never,
        fetch: never,
        listOffsets: never,
        initProducerId: () => Promise.resolve({ producerId: 1, producerEpoch: 0 }),
        metadata: () =>
          Promise.resolve({
            clusterId: '',
            controllerId: 0,
            brokers: [{ nodeId: 0, address }],
            metadataOffset: 1,
            topics: [
              {
                error: 'NONE' as const,
                name: TOPIC,
                topicId: 'x',
                partitions: Array.from({ length: partitions }, (_, partition) => ({
                  error: 'NONE' as const,
                  partition,
                  leaderId: 0,
                  leaderEpoch: 0,
                  partitionEpoch: 0,
                  replicas: [],
                  isr: [],
                  offlineReplicas: [],
                })),
              },
            ],
          }),
        produceStream: (replies: Sink<ProduceReply>): Sink<ProduceRequest> => ({
          send: (request) => {
            transport.produced.frames++;
            for (const { batch } of request.partitions) {
              transport.produced.batches++;
              transport.produced.bytes += batch.length;
            }
            setImmediate(() => replies.send(acknowledged(request)));
            return true;
          },
          drained: () => Promise.resolve(),
          end: () => {},
        }),
        fetchStream: (replies: Sink<FetchReply>): Sink<FetchRequest> => ({
          send: (request) => {
            setImmediate(() => replies.send(filled(request, transport)));
            return true;
          },
          drained: () => Promise.resolve(),
          end: () => {},
        }),
      };
      const connection = { address, broker, close: () => {} };
      return connection as unknown as Connection;
    },
  };
  return transport;
}

function acknowledged(request: ProduceRequest): ProduceReply {
  const partitions = request.partitions.map(({ topic, partition }) => ({
    topic,
    partition,
    error: 'NONE' as const,
    baseOffset: 0,
    leaderEpoch: 0,
    logStartOffset: 0,
    logAppendTimeMs: -1,
    replicas: [],
    synced: true,
  }));
  return { correlationId: request.correlationId, partitions };
}

function filled(request: FetchRequest, { batch, recordsPerBatch }: NullTransport): FetchReply {
  const partitions = request.partitions.map(({ topic, partition, fetchOffset, maxBytes }) => {
    const batches: Uint8Array[] = [];
    let bytes = 0;
    let offset = fetchOffset;
    while (batch !== undefined && bytes + batch.length <= maxBytes) {
      const copy = Buffer.from(batch);
      copy.writeBigInt64BE(BigInt(offset), 0);
      batches.push(copy);
      bytes += batch.length;
      offset += recordsPerBatch;
    }
    const ends = { highWatermark: 2 ** 40, lastStableOffset: 2 ** 40, logStartOffset: 0 };
    return { topic, partition, error: 'NONE' as const, ...ends, batches, records: [] };
  });
  return { correlationId: request.correlationId, partitions };
}
