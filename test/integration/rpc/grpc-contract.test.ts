import { SILENT } from '../../../src/env/index.ts';
import { createGrpcTransport } from '../../../src/rpc/grpc/index.ts';
import { describeTransport } from '../../rpc/transport-contract.ts';

describeTransport('gRPC over loopback', async () => {
  const client = createGrpcTransport({ logger: SILENT });
  const server = createGrpcTransport({ logger: SILENT });
  return {
    client,
    server,
    address: { host: '127.0.0.1', port: 0 },
    nowhere: { host: '127.0.0.1', port: 1 },
    killServer: () => server.close(),
    killClient: () => client.close(),
    async close() {
      await client.close();
      await server.close();
    },
  };
});
