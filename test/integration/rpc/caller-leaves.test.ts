import { describe, expect, it } from 'vitest';
import { SILENT } from '../../../src/env/index.ts';
import { createGrpcTransport } from '../../../src/rpc/grpc/index.ts';
import { RecordingLogger } from '../../../src/testing/twins/index.ts';
import { eventually } from '../../rpc/eventually.ts';
import { produceRequest, serverSide } from '../../rpc/services.ts';

describe('an implementation', () => {
  it('that breaks is logged as an error; that gives up with its caller is not', async () => {
    const logger = new RecordingLogger();
    const server = createGrpcTransport({ logger });
    const client = createGrpcTransport({ logger: SILENT });
    const side = serverSide();
    const { address } = await server.serve({ host: '127.0.0.1', port: 0 }, side.services);
    const { broker } = client.connect(address);
    const calling = (clientId: string) =>
      broker.produce({ ...produceRequest(1), clientId }, { timeoutMs: 200 });
    await expect(calling('follow')).rejects.toMatchObject({ reason: 'deadline-exceeded' });
    await eventually(async () => expect(side.signals[0]?.aborted).toBe(true));
    await expect(calling('crash')).rejects.toMatchObject({ code: 'UNKNOWN_SERVER_ERROR' });
    const errors = logger.lines.filter(({ level }) => level === 'error');
    expect(errors.map(({ fields }) => String(fields.error))).toEqual(['Error: at /secret/path.ts:1']);
    await client.close();
    await server.close();
  });
});
