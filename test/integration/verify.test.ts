import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../../src/testing/index.ts';
import { quorate } from './cli/command.ts';

const settings = { 'log.scrub.bytes.per.second': '0' };

/** A topic of one partition on three brokers, with closed segments, equal on all of them. */
async function filled(cluster: TestCluster): Promise<void> {
  const configs = { 'segment.bytes': '2000', 'min.insync.replicas': '3' };
  await cluster.admin.createTopic('t', { partitions: 1, replicationFactor: 3, configs });
  const producer = cluster.producer();
  for (let i = 0; i < 30; i++) await producer.send('t', { value: Buffer.alloc(500, i) });
  await cluster.until('equal replicas up to the end', async () => {
    const verdict = await cluster.admin.verifyLog('t', 0);
    return verdict.kind === 'equal' && verdict.toOffset === 30 ? verdict : undefined;
  });
}

/** Turns a bit of a closed segment of a broker, behind its back; gives the file's name. */
async function turnBit(cluster: TestCluster, id: number): Promise<string> {
  const below = await readdir(cluster.directoryOf(id), { recursive: true });
  const file = below.filter((name) => /(^|\/)t-0\/\d+\.log$/.test(name)).sort()[1] ?? '';
  const path = join(cluster.directoryOf(id), file);
  const bytes = await readFile(path);
  bytes[700] = (bytes[700] ?? 0) ^ 4;
  await writeFile(path, bytes);
  return file.split('/').slice(-2).join('/');
}

test('log verify names the broker whose disk lost a bit, the file and the place', async () => {
  await using cluster = await startCluster({ controllers: 1, brokers: 3, settings });
  await filled(cluster);
  const verify = () => quorate(['log', 'verify', 't'], { bootstrap: cluster.bootstrap });
  const sound = await verify();
  expect(sound).toMatchObject({ code: 0, stderr: '' });
  expect(sound.stdout).toMatch(
    /^Topic: t\tPartition: 0\tequal\toffsets 0 to 30\treplicas 1,2,3\t\d+ bytes\n$/u,
  );
  const leader = await cluster.leaderOf('t', 0);
  const follower = cluster.brokers.find((id) => id !== leader) ?? -1;
  const file = await turnBit(cluster, follower);
  const damaged = await verify();
  expect(damaged.code).toBe(1);
  expect(damaged.stdout).toContain(
    `broker ${follower} cannot be compared\tKAFKA_STORAGE_ERROR: ${file} is damaged`,
  );
});

test('the scrub finds the bit by itself', async () => {
  const lines: { fields: Readonly<Record<string, unknown>>; message: string }[] = [];
  const note = (fields: Readonly<Record<string, unknown>>, message: string): void => {
    lines.push({ fields, message });
  };
  const logger = { error: note, warn() {}, info() {}, debug() {}, child: () => logger };
  const scrub = { 'log.scrub.interval.ms': '200', 'log.scrub.bytes.per.second': '10000000' };
  await using cluster = await startCluster({ controllers: 1, brokers: 3, settings: scrub, logger });
  await filled(cluster);
  const leader = await cluster.leaderOf('t', 0);
  const file = await turnBit(cluster, cluster.brokers.find((id) => id !== leader) ?? -1);
  const found = await cluster.until('the scrub to find it', async () =>
    lines.find(({ message }) => message === 'the scrub found a damaged segment'),
  );
  expect(found.fields).toMatchObject({ topic: 't', partition: 0, file: expect.stringContaining(file) });
});
