/**
 * What rpc/api promises, whatever carries it. Every transport passes this suite.
 *
 * A harness gives two transports that reach each other (a client's and a server's) and a way to kill the
 * server's side as a process dies: without a word.
 *
 * A unary call has one outcome, but may be executed more than once and not in the order of the calls: gRPC
 * promises no more, and so neither does this suite. What the server is told it is told the execution that
 * belongs to the caller; a second one, come by another way, has only its deadline.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  Address,
  Connection,
  FetchReply,
  FetchRequest,
  Listener,
  ProduceReply,
  ServeOptions,
  Transport,
} from '../../src/rpc/api/index.ts';
import { eventually } from './eventually.ts';
import { Collector, produceReply, produceRequest, type ServerSide, serverSide } from './services.ts';

export interface Harness {
  readonly client: Transport;
  readonly server: Transport;
  /** Where to listen: any free port. */
  readonly address: Address;
  /** Where nobody listens. */
  readonly nowhere: Address;
  killServer(): Promise<void>;
  killClient(): Promise<void>;
  close(): Promise<void>;
}

const fetchRequest = (correlationId: number): FetchRequest => ({
  correlationId,
  clientId: '',
  maxWaitMs: 0,
  minBytes: 0,
  maxBytes: 1,
  isolation: 'read_uncommitted',
  partitions: [],
  plain: false,
  forwarded: false,
});

const reason = (value: string) => expect.objectContaining({ name: 'EnvironmentError', reason: value });
const refusal = (code: string) => expect.objectContaining({ name: 'ApiError', code });

export function describeTransport(name: string, open: () => Promise<Harness>): void {
  // Below what keepalives or deadlines take: the end of a peer has to be noticed by itself.
  describe(`transport contract: ${name}`, { timeout: 8000 }, () => {
    let harness: Harness;
    let side: ServerSide;
    let listener: Listener;
    let connection: Connection;

    const serve = (options?: ServeOptions) => harness.server.serve(harness.address, side.services, options);

    beforeEach(async () => {
      harness = await open();
      side = serverSide();
      listener = await serve();
      connection = harness.client.connect(listener.address);
    });
    afterEach(() => harness.close());

    describe('a unary call', () => {
      it('carries a request there and its reply back', async () => {
        const request = produceRequest(7, Buffer.from('abc'));
        expect(await connection.broker.produce(request, {})).toEqual(produceReply(request));
      });

      it('carries absent fields as absent and the largest offset as itself', async () => {
        const all = await connection.broker.metadata({}, {});
        expect(all).toMatchObject({ topics: [{ name: 'all' }], metadataOffset: 2 ** 53 - 1 });
        expect((await connection.broker.metadata({ topics: [] }, {})).topics).toEqual([]);
        const quorum = await connection.quorum.describeQuorum({}, {});
        expect('leaderEndpoint' in quorum).toBe(false);
        expect(quorum.voters[0]?.lastCaughtUpAgeMs).toBe(-1);
      });

      it('brings a refusal back with its code and its words', async () => {
        const call = connection.broker.produce({ ...produceRequest(1), clientId: 'refuse' }, {});
        await expect(call).rejects.toMatchObject({
          name: 'ApiError',
          code: 'NOT_LEADER_OR_FOLLOWER',
          message: 'broker 7 leads t-3 ☃',
        });
      });

      it('leaves the signal of an answered call alone', async () => {
        await connection.broker.produce(produceRequest(1), {});
        await connection.broker.metadata({}, {});
        expect(side.signals.length).toBeGreaterThan(0);
        expect(side.signals.map(({ aborted }) => aborted)).not.toContain(true);
      });

      it('tells nothing of an unexpected failure but that there was one', async () => {
        const error = await connection.broker
          .produce({ ...produceRequest(1), clientId: 'crash' }, {})
          .catch((e) => e);
        expect(error).toEqual(refusal('UNKNOWN_SERVER_ERROR'));
        expect(error.message).not.toContain('secret');
      });

      it('fails when its deadline passes, and the server is told', async () => {
        const hanging = { ...produceRequest(1), clientId: 'hang' };
        await expect(connection.broker.produce(hanging, { timeoutMs: 60 })).rejects.toEqual(
          reason('deadline-exceeded'),
        );
        await aborted(side);
      });

      it('ends with the reason of the signal that aborts it, and the server is told', async () => {
        const abort = new AbortController();
        const call = connection.broker.produce(
          { ...produceRequest(1), clientId: 'hang' },
          { signal: abort.signal },
        );
        await until(() => side.call !== undefined);
        abort.abort(new Error('enough'));
        await expect(call).rejects.toThrow('enough');
        await aborted(side);
        const late = connection.broker.produce(produceRequest(1), { signal: abort.signal });
        await expect(late).rejects.toThrow('enough');
      });

      it('fails at once when nobody listens', async () => {
        const nowhere = harness.client.connect(harness.nowhere);
        await expect(nowhere.broker.metadata({}, {})).rejects.toEqual(reason('unreachable'));
      });

      it('fails when the server dies under it', async () => {
        const call = connection.broker.produce({ ...produceRequest(1), clientId: 'hang' }, {});
        const failed = expect(call).rejects.toEqual(reason('disconnected'));
        await until(() => side.call !== undefined);
        await harness.killServer();
        await failed;
      });

      it('that no service of the listener answers is refused', async () => {
        await expect(connection.admin.describeCluster({}, {})).rejects.toEqual(
          refusal('UNSUPPORTED_VERSION'),
        );
      });

      it('that cannot be put into a message is refused before it is sent', async () => {
        await expect(connection.broker.produce(produceRequest(0.5), {})).rejects.toEqual(
          refusal('INVALID_REQUEST'),
        );
      });
    });

    describe('a stream', () => {
      it('carries messages in order both ways, and both ends', async () => {
        const replies = new Collector<FetchReply>();
        const requests = connection.broker.fetchStream(replies, {});
        for (let i = 0; i < 100; i++) requests.send(fetchRequest(i));
        requests.end();
        expect(await replies.ended).toBeUndefined();
        expect(replies.received.map(({ correlationId }) => correlationId)).toEqual(
          Array.from({ length: 100 }, (_, i) => i),
        );
        expect(replies.endings).toBe(1);
      });

      it('hands bytes over as copies', async () => {
        const batch = Buffer.from('shared');
        const requests = connection.broker.produceStream(new Collector(), {});
        requests.send(produceRequest(1, batch));
        const [request] = await side.requests.count(1);
        batch.fill(0);
        expect(Buffer.from(request?.partitions[0]?.batch ?? []).toString()).toBe('shared');
      });

      it('lets the server go on sending after the client has ended its half', async () => {
        const replies = new Collector<ProduceReply>();
        const requests = connection.broker.produceStream(replies, {});
        requests.send(produceRequest(1));
        requests.end();
        requests.end();
        expect(await side.requests.ended).toBeUndefined();
        side.replies?.send(produceReply(produceRequest(1)));
        side.replies?.end();
        expect(await replies.ended).toBeUndefined();
        expect(replies.received).toHaveLength(1);
        expect(side.requests.endings).toBe(1);
      });

      it('that the server refuses ends with the refusal', async () => {
        const replies = new Collector<unknown>();
        const requests = connection.controller.session(replies, {});
        expect(await replies.ended).toEqual(refusal('NOT_CONTROLLER'));
        expect(requests.send({} as never)).toBe(false);
        await expect(requests.drained()).rejects.toEqual(refusal('NOT_CONTROLLER'));
      });

      it('that the server ends with an error ends at both sides, once', async () => {
        const { replies } = await opened();
        const { ApiError } = await import('../../src/base/index.ts');
        side.replies?.end(new ApiError('STALE_BROKER_EPOCH', 'epoch 3 is gone'));
        expect(await replies.ended).toMatchObject({ code: 'STALE_BROKER_EPOCH', message: 'epoch 3 is gone' });
        expect(await side.requests.ended).toEqual(refusal('STALE_BROKER_EPOCH'));
        expect([replies.endings, side.requests.endings]).toEqual([1, 1]);
      });

      it('that the client ends with an error ends at both sides, once', async () => {
        const { replies, requests } = await opened();
        requests.end(new Error('enough'));
        expect(await replies.ended).toMatchObject({ message: 'enough' });
        expect(await side.requests.ended).toEqual(reason('disconnected'));
        expect(side.call?.signal.aborted).toBe(true);
        expect([replies.endings, side.requests.endings]).toEqual([1, 1]);
      });

      it('that a signal aborts ends with its reason', async () => {
        const abort = new AbortController();
        const { replies } = await opened({ signal: abort.signal });
        abort.abort(new Error('enough'));
        expect(await replies.ended).toMatchObject({ message: 'enough' });
        expect(await side.requests.ended).toEqual(reason('disconnected'));
      });

      it('ends at the client at once when the server dies', async () => {
        const { replies, requests } = await opened();
        await harness.killServer();
        expect(await replies.ended).toEqual(reason('disconnected'));
        await expect(requests.drained()).rejects.toEqual(reason('disconnected'));
      });

      it('ends at the server at once when the client dies', async () => {
        await opened();
        await harness.killClient();
        expect(await side.requests.ended).toEqual(reason('disconnected'));
        expect(side.call?.signal.aborted).toBe(true);
      });

      it('to nobody ends at once', async () => {
        const replies = new Collector<ProduceReply>();
        harness.client.connect(harness.nowhere).broker.produceStream(replies, {});
        expect(await replies.ended).toEqual(reason('unreachable'));
      });

      it('ends when its connection is closed', async () => {
        const { replies } = await opened();
        connection.close();
        expect(await replies.ended).toEqual(reason('closed'));
        await expect(connection.broker.metadata({}, {})).rejects.toEqual(reason('closed'));
        expect(await side.requests.ended).toEqual(reason('disconnected'));
      });

      it('holds the sender back while the receiver has no room, and loses nothing', async () => {
        const { requests } = await opened();
        side.requests.full = true;
        const batch = Buffer.alloc(256 * 1024, 1);
        const other = harness.client.connect(listener.address);
        let sent = 1;
        let room = true;
        while (room) {
          while (requests.send(produceRequest(++sent, batch))) expect(sent).toBeLessThan(1000);
          room = false;
          requests.drained().then(() => {
            room = true;
          });
          // What was under way arrives; then nothing moves, however much else goes on.
          for (let i = 0; i < 30 && !room; i++) await other.broker.metadata({}, {});
        }
        expect(side.requests.received.length).toBeLessThan(sent);
        const waiting = requests.drained();
        side.requests.open();
        await waiting;
        requests.send(produceRequest(++sent, batch));
        const received = await side.requests.count(sent);
        expect(received.map(({ correlationId }) => correlationId)).toEqual(
          Array.from({ length: sent }, (_, i) => i + 1),
        );
      });
    });

    describe('a connection', () => {
      it('reaches a server that was killed and is back, without being made again', async () => {
        await connection.broker.metadata({}, {});
        await harness.killServer();
        await expect(connection.broker.metadata({}, {})).rejects.toMatchObject({ name: 'EnvironmentError' });
        listener = await harness.server.serve(listener.address, side.services);
        await eventually(() => connection.broker.metadata({}, {}));
      });
    });

    describe('a listener', () => {
      it('refuses an address that is taken, and names it', async () => {
        const { host, port } = listener.address;
        await expect(harness.server.serve(listener.address, {})).rejects.toMatchObject({
          reason: 'address-in-use',
          subject: `${host}:${port}`,
        });
      });

      it('lets running calls finish within its grace, takes no new ones, and frees its address', async () => {
        const { replies } = await opened();
        const closed = listener.close(10_000);
        side.replies?.send(produceReply(produceRequest(5)));
        side.replies?.end();
        expect(await replies.ended).toBeUndefined();
        expect(replies.received).toHaveLength(1);
        connection.close();
        await closed;
        const late = harness.client.connect(listener.address);
        await expect(late.broker.metadata({}, {})).rejects.toEqual(reason('unreachable'));
        await harness.server.serve(listener.address, side.services);
      });

      it('cuts what still runs after its grace', async () => {
        const { replies } = await opened();
        await listener.close(0);
        expect(await replies.ended).toEqual(reason('disconnected'));
        expect(await side.requests.ended).toEqual(reason('disconnected'));
      });
    });

    async function opened(options: { signal?: AbortSignal } = {}) {
      const replies = new Collector<ProduceReply>();
      const requests = connection.broker.produceStream(replies, options);
      requests.send(produceRequest(1));
      await side.requests.count(1);
      return { replies, requests };
    }
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

function aborted(side: ServerSide): Promise<void> {
  return until(() => side.signals.some((signal) => signal.aborted));
}
