/** Produce, read back and latency, through the client library and a cluster of processes. */
import { createClient } from '../src/index.ts';
import type { BenchCluster } from './cluster.ts';
import { count, fixed, median, printRow, quantile } from './figures.ts';

interface Load {
  readonly topic: string;
  readonly acks: 'all' | 1;
  readonly recordBytes: number;
  readonly records: number;
}

const SEND_RECORDS = 100;
const SENDS_OUTSTANDING = 256;
const PARTITIONS = 3;

export async function benchProduce(cluster: BenchCluster, runs: number, scale: number): Promise<void> {
  const { bootstrap, nodes } = cluster.description;
  const brokers = nodes.filter((node) => node.roles.includes('broker')).length;
  await using client = createClient({ bootstrap });
  for (const replicas of brokers >= 3 ? [1, 3] : [1])
    for (const acks of [1, 'all'] as const)
      for (const recordBytes of [100, 1024]) {
        const topic = `produce-${replicas}-${acks}-${recordBytes}`;
        await client.admin.createTopic(topic, {
          partitions: PARTITIONS,
          replicationFactor: replicas,
          configs: { 'min.insync.replicas': String(Math.min(2, replicas)) },
        });
        const records = Math.round((recordBytes === 100 ? 500_000 : 100_000) * scale);
        const load = { topic, acks, recordBytes, records };
        const seconds: number[] = [];
        for (let run = 0; run <= runs; run++) {
          const elapsed = await produce(bootstrap, load);
          if (run > 0) seconds.push(elapsed);
        }
        const perSecond = records / median(seconds);
        printRow({
          what: 'produce',
          settings: `${recordBytes} B, acks=${acks}, ${replicas} replicas, ${PARTITIONS} partitions`,
          figures: { 'records/s': count(perSecond), 'MB/s': fixed((perSecond * recordBytes) / 1e6) },
        });
      }
}

async function produce(bootstrap: string, { topic, acks, recordBytes, records }: Load): Promise<number> {
  await using client = createClient({ bootstrap });
  await using producer = client.producer({
    acks,
    idempotence: acks === 'all',
    maxInFlight: 5,
    batchSize: 65_536,
  });
  const value = Buffer.alloc(recordBytes, 'x');
  const batch = Array.from({ length: SEND_RECORDS }, () => ({ value }));
  await producer.send(topic, batch);
  const startMs = performance.now();
  let outstanding = 0;
  let wake = (): void => {};
  for (let sent = 0; sent < records; sent += SEND_RECORDS) {
    while (outstanding >= SENDS_OUTSTANDING) await new Promise<void>((resolve) => (wake = resolve));
    outstanding++;
    void producer.send(topic, batch).then(() => {
      outstanding--;
      wake();
    });
  }
  while (outstanding > 0) await new Promise<void>((resolve) => (wake = resolve));
  return (performance.now() - startMs) / 1000;
}

export async function benchFetch(cluster: BenchCluster, runs: number): Promise<void> {
  const { bootstrap } = cluster.description;
  for (const topic of ['produce-1-1-100', 'produce-1-1-1024']) {
    const rates: { records: number; bytes: number }[] = [];
    for (let run = 0; run <= runs; run++) {
      await using client = createClient({ bootstrap });
      await using consumer = client.consumer({ topic, from: 'beginning' });
      await consumer.ready();
      const startMs = performance.now();
      let [records, bytes] = [0, 0];
      for await (const batch of consumer.batchesUntilEnd())
        for (const record of batch.records) {
          records++;
          bytes += record.value?.length ?? 0;
        }
      const seconds = (performance.now() - startMs) / 1000;
      if (run > 0) rates.push({ records: records / seconds, bytes: bytes / seconds });
    }
    printRow({
      what: 'fetch',
      settings: `${topic.split('-').at(-1)} B records, ${PARTITIONS} partitions, 1 consumer`,
      figures: {
        'records/s': count(median(rates.map(({ records }) => records))),
        'MB/s': fixed(median(rates.map(({ bytes }) => bytes)) / 1e6),
      },
    });
  }
}

/** From `send` to the consumer's hands, one record at a time. */
export async function benchLatency(cluster: BenchCluster, samples: number): Promise<void> {
  const { bootstrap, nodes } = cluster.description;
  const replicas = Math.min(3, nodes.filter((node) => node.roles.includes('broker')).length);
  await using client = createClient({ bootstrap });
  const topic = 'latency';
  await client.admin.createTopic(topic, { partitions: 1, replicationFactor: replicas });
  await using consumer = client.consumer({ topic, from: 'end' });
  await consumer.ready();
  const read = consumer[Symbol.asyncIterator]();
  await using producer = client.producer();
  const acknowledged: number[] = [];
  const delivered: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const startMs = performance.now();
    const sent = producer
      .send(topic, { value: Buffer.alloc(100) })
      .then(() => acknowledged.push(performance.now() - startMs));
    await read.next();
    delivered.push(performance.now() - startMs);
    await sent;
  }
  for (const [what, values] of [
    ['acknowledged', acknowledged],
    ['delivered', delivered],
  ] as const)
    printRow({
      what: 'latency',
      settings: `${what}, 100 B, acks=all, ${replicas} replicas, one at a time`,
      figures: { 'p50 ms': fixed(quantile(values, 0.5), 2), 'p99 ms': fixed(quantile(values, 0.99), 2) },
    });
}
