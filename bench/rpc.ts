/**
 * What the gRPC transport costs: unary calls, streams of small, middle and large produce-like messages,
 * beside a bare grpc-js stream of equal bytes in the same run. Client and server are two processes on one
 * machine.
 *
 * node bench/rpc.ts [seconds per case]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  Client,
  credentials,
  type handleBidiStreamingCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { SILENT } from '../src/env/index.ts';
import type { BrokerService, CallContext, ProduceReply, ProduceRequest, Sink } from '../src/rpc/api/index.ts';
import { createGrpcTransport } from '../src/rpc/grpc/index.ts';

const HOST = '127.0.0.1';
const SIZES = [100, 64 * 1024, 1024 * 1024];
/** Requests without a reply at a time, as a producer with many partitions has. */
const IN_FLIGHT_BYTES = 8 * 1024 * 1024;
const IN_FLIGHT_MAX = 256;

const BARE_PATH = '/bench.Bare/Stream';
const identity = (bytes: Buffer): Buffer => bytes;
const BARE: ServiceDefinition = {
  Stream: {
    path: BARE_PATH,
    requestStream: true,
    responseStream: true,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
};
const ACK = Buffer.alloc(30, 1);

function reply(request: ProduceRequest): ProduceReply {
  const partitions = request.partitions.map(({ topic, partition }) => ({
    topic,
    partition,
    error: 'NONE' as const,
    baseOffset: 1_000_000,
    leaderEpoch: 3,
    logStartOffset: 0,
    logAppendTimeMs: -1,
    replicas: [1, 2, 3],
    synced: true,
  }));
  return { correlationId: request.correlationId, partitions };
}

async function serve(): Promise<void> {
  const broker: Partial<BrokerService<CallContext>> = {
    produce: async (request) => reply(request),
    produceStream: (replies) => ({
      send: (request) => replies.send(reply(request)),
      drained: () => replies.drained(),
      end: (error) => replies.end(error),
    }),
  };
  const transport = createGrpcTransport({ logger: SILENT });
  const services = { broker: broker as BrokerService<CallContext> };
  const listener = await transport.serve({ host: HOST, port: 0 }, services);
  const bare = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.enable_channelz': 0 });
  const echo: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    call.on('data', () => call.write(ACK));
    call.on('end', () => call.end());
  };
  bare.addService(BARE, { Stream: echo });
  bare.bindAsync(`${HOST}:0`, ServerCredentials.createInsecure(), (_error, port) =>
    process.send?.({ port: listener.address.port, barePort: port }),
  );
  process.on('message', () => process.send?.(process.cpuUsage()));
}

const request = (correlationId: number, batch: Uint8Array): ProduceRequest => ({
  correlationId,
  clientId: 'bench',
  acks: -1,
  timeoutMs: 30_000,
  partitions: [{ topic: 'orders', partition: correlationId % 16, batch }],
  plain: [],
  forwarded: false,
});

interface Figures {
  readonly count: number;
  readonly seconds: number;
  readonly clientCpuUs: number;
  readonly serverCpuUs: number;
}

let server: ChildProcess;

async function cpuUs(): Promise<{ client: number; server: number }> {
  server.send('cpu');
  const [theirs] = (await once(server, 'message')) as [NodeJS.CpuUsage];
  const ours = process.cpuUsage();
  return { client: ours.user + ours.system, server: theirs.user + theirs.system };
}

/** Runs `step` until time is up; it says how many were done. */
async function timed(seconds: number, step: () => Promise<number>): Promise<Figures> {
  for (const endMs = performance.now() + 500; performance.now() < endMs; ) await step();
  const before = await cpuUs();
  const startMs = performance.now();
  let count = 0;
  while (performance.now() - startMs < seconds * 1000) count += await step();
  const passed = (performance.now() - startMs) / 1000;
  const after = await cpuUs();
  return {
    count,
    seconds: passed,
    clientCpuUs: after.client - before.client,
    serverCpuUs: after.server - before.server,
  };
}

const show = (name: string, figures: Figures, bytes: number): void => {
  const { count, seconds, clientCpuUs, serverCpuUs } = figures;
  const rate = count / seconds;
  const parts = [
    name.padEnd(34),
    `${Math.round(rate).toLocaleString('en')}/s`.padStart(12),
    `${((rate * bytes) / 1e6).toFixed(1)} MB/s`.padStart(14),
    `CPU each: client ${(clientCpuUs / count).toFixed(1)} us`.padStart(30),
    `server ${(serverCpuUs / count).toFixed(1)} us`.padStart(20),
  ];
  console.log(parts.join(''));
};

async function unary(broker: BrokerService, seconds: number): Promise<void> {
  const batch = Buffer.alloc(100, 7);
  const one = await timed(seconds, async () => {
    await broker.produce(request(1, batch), {});
    return 1;
  });
  show('unary, one at a time, 100 B', one, 100);
  const many = await timed(seconds, async () => {
    await Promise.all(Array.from({ length: 64 }, (_, i) => broker.produce(request(i, batch), {})));
    return 64;
  });
  show('unary, 64 at a time, 100 B', many, 100);
}

/** Sends with a window: `send` puts one under way, `took` is called when its reply has come. */
function windowed(size: number, open: (took: () => void) => { send(id: number): void; end(): void }) {
  const window = Math.max(2, Math.min(IN_FLIGHT_MAX, Math.floor(IN_FLIGHT_BYTES / size)));
  let sent = 0;
  let taken = 0;
  let wake: (() => void) | undefined;
  const stream = open(() => {
    taken++;
    wake?.();
  });
  return {
    end: () => stream.end(),
    async step(): Promise<number> {
      const before = taken;
      while (sent - taken < window) stream.send(sent++);
      if (taken === before)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return taken - before;
    },
  };
}

async function stream(broker: BrokerService, size: number, seconds: number): Promise<void> {
  const batch = Buffer.alloc(size, 7);
  const run = windowed(size, (took) => {
    const replies: Sink<ProduceReply> = {
      send() {
        took();
        return true;
      },
      drained: () => Promise.resolve(),
      end() {},
    };
    const requests = broker.produceStream(replies, {});
    return { send: (id) => requests.send(request(id, batch)), end: () => requests.end() };
  });
  show(`stream, ${size} B`, await timed(seconds, run.step), size);
  run.end();
}

async function bareStream(client: Client, size: number, seconds: number): Promise<void> {
  const bytes = Buffer.alloc(size + 30, 7);
  const run = windowed(size, (took) => {
    const call = client.makeBidiStreamRequest(BARE_PATH, identity, identity);
    call.on('data', took);
    call.on('error', () => {});
    return { send: () => call.write(bytes), end: () => call.end() };
  });
  show(`bare grpc-js stream, ${size} B`, await timed(seconds, run.step), size);
  run.end();
}

async function main(): Promise<void> {
  const seconds = Number(process.argv[2] ?? 3);
  server = fork(fileURLToPath(import.meta.url), ['serve']);
  const [{ port, barePort }] = (await once(server, 'message')) as [{ port: number; barePort: number }];
  const transport = createGrpcTransport({ logger: SILENT });
  const { broker } = transport.connect({ host: HOST, port });
  const bare = new Client(`${HOST}:${barePort}`, credentials.createInsecure(), { 'grpc.enable_channelz': 0 });
  await unary(broker, seconds);
  for (const size of SIZES) {
    await stream(broker, size, seconds);
    await bareStream(bare, size, seconds);
  }
  bare.close();
  await transport.close();
  server.kill();
}

await (process.argv[2] === 'serve' ? serve() : main());
