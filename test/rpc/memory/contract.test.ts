import { SILENT } from '../../../src/env/index.ts';
import { createMemoryNetwork } from '../../../src/rpc/memory/index.ts';
import { describeTransport, type Harness } from '../transport-contract.ts';
import { realTimers } from './real-timers.ts';

for (const delayed of [false, true])
  describeTransport(delayed ? 'memory with delays' : 'memory', async (): Promise<Harness> => {
    const network = createMemoryNetwork({
      timers: realTimers,
      logger: SILENT,
      ...(delayed ? { delayMs: () => 1 } : {}),
    });
    let client = network.transport('client');
    let server = network.transport('server');
    return {
      get client() {
        return client;
      },
      get server() {
        return server;
      },
      address: { host: 'server', port: 0 },
      nowhere: { host: 'nowhere', port: 1 },
      async killServer() {
        network.kill('server');
        server = network.transport('server');
      },
      async killClient() {
        network.kill('client');
        client = network.transport('client');
      },
      async close() {
        await client.close();
        await server.close();
      },
    };
  });
