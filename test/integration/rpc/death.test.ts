import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SILENT } from '../../../src/env/index.ts';
import type { ProduceReply, Transport } from '../../../src/rpc/api/index.ts';
import { createGrpcTransport } from '../../../src/rpc/grpc/index.ts';
import { eventually } from '../../rpc/eventually.ts';
import { Collector, produceRequest, serverSide } from '../../rpc/services.ts';
import { kill, start } from './processes.ts';

describe('when a process is killed', () => {
  let transport: Transport;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    transport = createGrpcTransport({ logger: SILENT });
  });
  afterEach(async () => {
    await transport.close();
    await Promise.all(children.splice(0).map(kill));
  });

  async function startServer(port = 0): Promise<{ child: ChildProcess; port: number }> {
    const { child, line } = await start('child-server.ts', String(port));
    children.push(child);
    return { child, port: Number(line) };
  }

  it('its clients hear of it by the end of their streams and calls, before any deadline', async () => {
    const { child, port } = await startServer();
    const connection = transport.connect({ host: '127.0.0.1', port });
    const replies = new Collector<ProduceReply>();
    connection.broker.produceStream(replies, {}).send(produceRequest(1));
    const call = connection.broker.produce({ ...produceRequest(1), clientId: 'hang' }, {});
    const failed = expect(call).rejects.toMatchObject({ reason: 'disconnected' });
    await connection.broker.metadata({}, {});
    await kill(child);
    await failed;
    expect(await replies.ended).toMatchObject({ reason: 'disconnected' });
    await expect(connection.broker.metadata({}, {})).rejects.toMatchObject({ reason: 'unreachable' });
  });

  it('its server hears of it by the end of its streams', async () => {
    const side = serverSide();
    const { address } = await transport.serve({ host: '127.0.0.1', port: 0 }, side.services);
    const { child } = await start('child-client.ts', String(address.port), 'stream');
    children.push(child);
    await side.requests.count(1);
    await kill(child);
    expect(await side.requests.ended).toMatchObject({ reason: 'disconnected' });
  });

  it('and is back, an old connection reaches it although it has failed many times since', async () => {
    const { child, port } = await startServer();
    const connection = transport.connect({ host: '127.0.0.1', port });
    await connection.broker.metadata({}, {});
    await kill(child);
    // Somebody who hangs up counts the attempts. With pauses that grew without bound the last would come
    // after a minute.
    let attempts = 0;
    const nobody = net.createServer((socket) => {
      attempts++;
      socket.destroy();
    });
    nobody.listen(port, '127.0.0.1');
    await eventually(async () => {
      await connection.broker.metadata({}, {}).catch((error) => expect(error.name).toBe('EnvironmentError'));
      expect(attempts).toBeGreaterThan(12);
    });
    nobody.close();
    await once(nobody, 'close');
    await startServer(port);
    await eventually(() => connection.broker.metadata({}, {}));
  });
});

describe('a process', () => {
  it('is not kept alive by a connection without calls', async () => {
    const transport = createGrpcTransport({ logger: SILENT });
    const { address } = await transport.serve({ host: '127.0.0.1', port: 0 }, serverSide().services);
    const { child } = await start('child-client.ts', String(address.port), 'call');
    const [status] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
    expect(status).toBe(0);
    await transport.close();
  });
});
