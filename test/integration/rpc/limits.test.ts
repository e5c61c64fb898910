import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { Client, compressionAlgorithms, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { SILENT } from '../../../src/env/index.ts';
import {
  type FetchReply,
  formatAddress,
  type Listener,
  type ProduceReply,
  type Transport,
} from '../../../src/rpc/api/index.ts';
import { createGrpcTransport, type GrpcLimits } from '../../../src/rpc/grpc/index.ts';
import { SERVICES } from '../../../src/rpc/protobuf/index.ts';
import { eventually } from '../../rpc/eventually.ts';
import { Collector, produceReply, produceRequest, type ServerSide, serverSide } from '../../rpc/services.ts';

let transport: Transport;
let side: ServerSide;

beforeEach(() => {
  side = serverSide();
});
afterEach(() => transport.close());

async function serve(limits: Partial<GrpcLimits> = {}): Promise<Listener> {
  transport = createGrpcTransport({ logger: SILENT, limits });
  return transport.serve({ host: '127.0.0.1', port: 0 }, side.services);
}

/** A client whose own limits do not get in the way. */
const loose = (): Transport => createGrpcTransport({ logger: SILENT, limits: { requestBytesMax: 2 ** 30 } });

/** Of a request whose batch has `bytes`. */
const overhead = 40;

describe('a server refuses', () => {
  it('a request above the limit, by unary call and by stream, and takes one just below', async () => {
    const { address } = await serve({ requestBytesMax: 100_000 });
    const client = loose();
    const { broker } = client.connect(address);
    await broker.produce(produceRequest(1, Buffer.alloc(100_000 - overhead)), {});
    const large = produceRequest(2, Buffer.alloc(100_001));
    await expect(broker.produce(large, {})).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    const replies = new Collector<ProduceReply>();
    broker.produceStream(replies, {}).send(large);
    expect(await replies.ended).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    await client.close();
  });

  it('a small request that would inflate above the limit', async () => {
    const { address } = await serve({ requestBytesMax: 1_000_000 });
    const client = new Client(formatAddress(address), credentials.createInsecure(), {
      'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
    });
    const { path, request } = SERVICES.broker.methods.produce;
    const bomb = request.encode(produceRequest(1, Buffer.alloc(50_000_000)));
    const same = (bytes: Buffer): Buffer => bytes;
    const error = await new Promise<ServiceError | null>((resolve) =>
      client.makeUnaryRequest(path, same, same, bomb, resolve),
    );
    expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
    client.close();
  });

  it('to read much ahead of a consumer that has no room', async () => {
    const { address } = await serve();
    side.requests.full = true;
    const { broker } = transport.connect(address);
    const requests = broker.produceStream(new Collector(), {});
    const batch = Buffer.alloc(2 * 1024 * 1024);
    let sent = 0;
    let room = true;
    while (room) {
      while (requests.send(produceRequest(sent++, batch)));
      room = false;
      requests.drained().then(
        () => {
          room = true;
        },
        () => {},
      );
      for (let i = 0; i < 50 && !room; i++) await broker.metadata({}, {});
    }
    // One delivered, one read ahead, and what two windows and the sender's credit of 4 MiB each hold.
    expect(sent).toBeLessThan(12);
  });

  it('as the client does before it sends', async () => {
    const { address } = await serve({ requestBytesMax: 100_000 });
    const { broker } = transport.connect(address);
    const large = produceRequest(2, Buffer.alloc(100_001));
    await expect(broker.produce(large, {})).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    const replies = new Collector<ProduceReply>();
    expect(broker.produceStream(replies, {}).send(large)).toBe(false);
    expect(await replies.ended).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
  });

  it('a request with too many list elements', async () => {
    const { address } = await serve({ requestElementsMax: 10 });
    const { broker } = transport.connect(address);
    const partitions = (count: number) =>
      Array.from({ length: count }, () => produceRequest(1).partitions[0]!);
    await broker.produce({ ...produceRequest(1), partitions: partitions(10) }, {});
    const many = broker.produce({ ...produceRequest(1), partitions: partitions(11) }, {});
    await expect(many).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('connections above the limit, and takes new ones when others have gone', async () => {
    const { address } = await serve({ connectionsMax: 2 });
    const connections = [transport.connect(address), transport.connect(address)];
    for (const { broker } of connections) await broker.metadata({}, {});
    const third = transport.connect(address);
    await expect(third.broker.metadata({}, {})).rejects.toMatchObject({ name: 'EnvironmentError' });
    connections[0]?.close();
    await eventually(() => third.broker.metadata({}, {}));
  });

  it('more streams at a time than the limit: they wait for their turn', async () => {
    const { address } = await serve({ streamsPerConnectionMax: 2 });
    const { broker } = transport.connect(address);
    const replies = new Collector<ProduceReply>();
    const streams = [broker.produceStream(replies, {}), broker.produceStream(replies, {})];
    for (const stream of streams) stream.send(produceRequest(1));
    await side.requests.count(2);
    await expect(broker.metadata({}, { timeoutMs: 100 })).rejects.toMatchObject({
      reason: 'deadline-exceeded',
    });
    streams[0]?.end(new Error('done'));
    await eventually(() => broker.metadata({}, {}));
  });

  it('to hold more for a stream that nobody reads than the bound', async () => {
    const { address } = await serve({ streamCreditBytes: 1000, streamBufferBytesMax: 4 * 1024 * 1024 });
    const replies = new Collector<ProduceReply>();
    replies.full = true;
    transport.connect(address).broker.produceStream(replies, {}).send(produceRequest(1));
    await side.requests.count(1);
    const reply = { ...produceReply(produceRequest(1)), partitions: [] };
    const [row] = produceReply(produceRequest(1)).partitions;
    const large = { ...reply, partitions: [{ ...row!, errorMessage: 'x'.repeat(1024 * 1024) }] };
    let sent = 0;
    const deadline = performance.now() + 20_000;
    // Flow control lets some through to the client's buffers; then the server's own fill up.
    while (side.requests.endings === 0) {
      expect(performance.now()).toBeLessThan(deadline);
      for (let i = 0; i < 4; i++, sent++) side.replies?.send(large);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await side.requests.ended).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(sent).toBeLessThan(100);
  });
});

describe('a server survives', () => {
  const answer = async (listener: Listener): Promise<number> => {
    const { metadataOffset } = await transport.connect(listener.address).broker.metadata({}, {});
    return metadataOffset;
  };
  const ANSWER = 2 ** 53 - 1;

  it('bytes that are no HTTP/2 at all', async () => {
    const listener = await serve();
    const random = new SeededRandom(1);
    for (let i = 0; i < 20; i++) {
      const socket = net.connect(listener.address.port, '127.0.0.1').on('error', () => {});
      socket.resume().end(random.bytes(random.integer(1, 5000)));
      await once(socket, 'close');
    }
    expect(await answer(listener)).toBe(ANSWER);
  });

  it('frames that break HTTP/2', async () => {
    const listener = await serve();
    const random = new SeededRandom(2);
    for (let i = 0; i < 50; i++) {
      const socket = net.connect(listener.address.port, '127.0.0.1').on('error', () => {});
      const length = random.integer(0, 64);
      const header = [
        0,
        0,
        length,
        random.integer(0, 11),
        random.integer(0, 256),
        0,
        0,
        0,
        random.integer(0, 4),
      ];
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
      socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
      socket.end(Buffer.concat([Buffer.from(header), random.bytes(length)]));
      socket.resume();
      await once(socket, 'close');
    }
    expect(await answer(listener)).toBe(ANSWER);
  });

  it('messages that are no protobuf, with a refusal', async () => {
    const listener = await serve();
    const session = http2.connect(`http://127.0.0.1:${listener.address.port}`);
    const garbage = Buffer.from([0, 0, 0, 0, 3, 0x0a, 0xff, 0xff]);
    for (const [path, body] of [
      ['/quorate.v1.Broker/Produce', garbage],
      ['/quorate.v1.Broker/ProduceStream', garbage],
      ['/quorate.v1.Broker/Nothing', garbage],
      ['/quorate.v1.Broker/Produce', Buffer.from([9, 9, 9])],
      ['/', Buffer.alloc(0)],
    ] as const) {
      const stream = session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const trailers = new Promise<http2.IncomingHttpHeaders>((resolve) => {
        stream.on('response', (headers) => headers['grpc-status'] !== undefined && resolve(headers));
        stream.on('trailers', resolve);
        stream.on('close', () => resolve({}));
      });
      stream.on('error', () => {});
      stream.end(body);
      stream.resume();
      const status = (await trailers)['grpc-status'];
      expect(status, path).not.toBe('0');
    }
    session.close();
    expect(await answer(listener)).toBe(ANSWER);
  });

  it('a flood of streams that are reset at once', async () => {
    const listener = await serve();
    const session = http2.connect(`http://127.0.0.1:${listener.address.port}`).on('error', () => {});
    for (let i = 0; i < 5000 && !session.destroyed; i++) {
      const stream = session.request({ ':method': 'POST', ':path': '/quorate.v1.Broker/ProduceStream' });
      stream.on('error', () => {});
      stream.close(http2.constants.NGHTTP2_CANCEL);
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await answer(listener)).toBe(ANSWER);
    session.destroy();
  });

  it('a consumer that throws, by ending that stream only', async () => {
    const listener = await serve();
    side.requests.send = () => {
      throw new Error('at /secret/path.ts:1');
    };
    const { broker } = transport.connect(listener.address);
    const replies = new Collector<ProduceReply>();
    broker.produceStream(replies, {}).send(produceRequest(1));
    const error = await replies.ended;
    expect(error).toMatchObject({ code: 'UNKNOWN_SERVER_ERROR' });
    expect(error?.message).not.toContain('secret');
    const others = new Collector<FetchReply>();
    broker.fetchStream(others, {}).end();
    expect(await others.ended).toBeUndefined();
  });
});
