/**
 * Quorate from outside: a client of a cluster in one call. `quorate/testing` starts clusters, the `quorate`
 * command runs them.
 *
 * Composes what `client` leaves open: gRPC as the transport, this machine's clocks and timers.
 */
import { type Client, type ClientSettings, createClient as createBareClient } from './client/index.ts';
import { type Logger, SILENT } from './env/index.ts';
import { nodeClock, nodeRandom, nodeTimers } from './env/node/index.ts';
import { createGrpcTransport } from './rpc/grpc/index.ts';

export { ApiError, type ErrorName, StartupError, type TopicPartition, VERSION } from './base/index.ts';
export type {
  Acknowledgement,
  Admin,
  AdminOptions,
  Client,
  ClientSettings,
  ConsumedBatch,
  ConsumedHeader,
  ConsumedRecord,
  Consumer,
  ConsumerOptions,
  Content,
  CreateTopicsOptions,
  HeadersInput,
  OffsetReset,
  Partitioner,
  PositionedPartition,
  Producer,
  ProducerOptions,
  RecordInput,
  RecordsDeleted,
  RecordsToDelete,
  SendOptions,
  StartPosition,
  TopicSpec,
} from './client/index.ts';
export { partitionForKey } from './client/index.ts';
export type { Logger } from './env/index.ts';
export type { CompressionType } from './log/record/index.ts';

export interface ClientOptions extends ClientSettings {
  /** Default: silent. */
  readonly logger?: Logger;
}

/**
 * A client of the cluster behind `bootstrap`, over gRPC. Nothing is connected before it is used; close it, or
 * `await using` it, for open connections keep the process alive.
 *
 *     await using client = createClient({ bootstrap: 'localhost:9092' });
 *     await client.producer().send('orders', { key: 'a', value: '1' });
 *     for await (const record of client.consumer({ topic: 'orders', from: 'beginning' }).untilEnd())
 *       console.log(record.offset, record.value?.toString());
 *
 * Throws StartupError for settings that cannot be.
 */
export function createClient(options: ClientOptions): Client {
  const { logger = SILENT, ...settings } = options;
  const transport = createGrpcTransport({ logger });
  return createBareClient({
    ...settings,
    transport,
    environment: { clock: nodeClock(), timers: nodeTimers(), random: nodeRandom(), logger },
    onClosed: () => transport.close(),
  });
}
