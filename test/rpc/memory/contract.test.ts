import { SeededRandom } from '../../../src/base/index.ts';
import { SILENT } from '../../../src/env/index.ts';
import { createMemoryNetwork, type MemoryNetworkOptions } from '../../../src/rpc/memory/index.ts';
import { describeTransport, type Harness } from '../transport-contract.ts';
import { realTimers } from './real-timers.ts';

type Faults = Omit<MemoryNetworkOptions, 'timers' | 'random'>;

const random = new SeededRandom(1);
const KINDS: readonly [name: string, faults: Faults][] = [
  ['memory', {}],
  ['memory with delays', { delayMs: () => 1 }],
  ['memory with delays where calls overtake', { delayMs: () => 3 * random.float(), reorderRate: 0.5 }],
  [
    'memory where requests come twice',
    { delayMs: () => 1, duplicateRate: 1, duplicateLateMs: () => 5 * random.float() },
  ],
  ['memory where requests come again late', { duplicateRate: 1 }],
];

for (const [name, faults] of KINDS)
  describeTransport(name, async (): Promise<Harness> => {
    const network = createMemoryNetwork({ timers: realTimers, logger: SILENT, random, ...faults });
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
