/** `npm run bench`: everything, as medians, with machine and settings. `--quick`: fewer and smaller runs. */
import { argv } from 'node:process';
import { startBenchCluster } from './cluster.ts';
import { describeMachine } from './figures.ts';
import { benchFetch, benchLatency, benchProduce } from './produce.ts';
import { benchFailover, benchStartup } from './startup.ts';

const quick = argv.includes('--quick');
const runs = quick ? 1 : 3;

console.log(describeMachine());
console.log(`medians of ${runs} runs after a warm-up; six processes and the client share the machine\n`);
await benchStartup(quick ? 3 : 5);
{
  await using cluster = await startBenchCluster({ controllers: 3, brokers: 3, processes: true });
  await benchProduce(cluster, runs, quick ? 0.2 : 1);
  await benchFetch(cluster, runs);
  await benchLatency(cluster, quick ? 300 : 2000);
}
await benchFailover(quick ? 3 : 10);
