/** Time to ready as the command itself prints it, idle memory, and how long a partition is without a leader. */
import { readFile } from 'node:fs/promises';
import { createClient } from '../src/index.ts';
import { startBenchCluster } from './cluster.ts';
import { count, median, printRow, quantile } from './figures.ts';

export async function benchStartup(runs: number): Promise<void> {
  for (const processes of [false, true]) {
    const readyMs: number[] = [];
    let rssMb = Number.NaN;
    for (let run = 0; run < runs; run++) {
      await using cluster = await startBenchCluster({ controllers: 3, brokers: 3, processes });
      readyMs.push(cluster.description.readyMs);
      if (!processes) rssMb = await residentMegabytes(cluster.child.pid ?? 0);
    }
    printRow({
      what: 'start',
      settings: `3 controllers, 3 brokers, ${processes ? 'six processes' : 'one process'}`,
      figures: {
        'ready ms': count(median(readyMs)),
        ...(processes ? {} : { 'resident MB': count(rssMb) }),
      },
    });
  }
}

/** From `kill -9` of a partition's leader to the first record acknowledged after it. */
export async function benchFailover(kills: number): Promise<void> {
  const unavailableMs: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    await using cluster = await startBenchCluster({ controllers: 3, brokers: 3, processes: true });
    await using client = createClient({ bootstrap: cluster.description.bootstrap });
    const configs = { 'min.insync.replicas': '2' };
    await client.admin.createTopic('failover', { partitions: 1, replicationFactor: 3, configs });
    await using producer = client.producer();
    await producer.send('failover', { value: 'before' });
    const { partitions } = await client.admin.describeTopic('failover');
    const leader = cluster.description.nodes.find((node) => node.id === partitions[0]?.leaderId);
    if (leader === undefined) throw new Error('the partition has no leader');
    process.kill(leader.pid, 'SIGKILL');
    const startMs = performance.now();
    await producer.send('failover', { value: 'after' });
    unavailableMs.push(performance.now() - startMs);
  }
  printRow({
    what: 'failover',
    settings: `kill -9 of the leader, defaults, ${kills} kills`,
    figures: {
      'median ms': count(median(unavailableMs)),
      'p99 ms': count(quantile(unavailableMs, 0.99)),
      'max ms': count(Math.max(...unavailableMs)),
    },
  });
}

async function residentMegabytes(pid: number): Promise<number> {
  if (process.platform !== 'linux') return Number.NaN;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}
