import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startCluster } from '../../src/testing/index.ts';

const PYTHON = process.env.PYTHON ?? 'python3';
const COUNT = 60;
/** Needs `pip install grpcio grpcio-tools`; without them the test is listed as skipped. */
const hasPython = spawnSync(PYTHON, ['-c', 'import grpc, grpc_tools']).status === 0;

test.runIf(hasPython)(
  'a stub generated for Python sends to any broker and reads from any broker',
  async () => {
    await using cluster = await startCluster();
    await cluster.admin.createTopic('plain', { partitions: 3, replicationFactor: 1 });
    const script = join(import.meta.dirname, '../compat/plain_client.py');
    const proto = join(import.meta.dirname, '../../proto');
    const args = [script, proto, 'plain', '3', String(COUNT), ...cluster.bootstrap.split(',')];
    const { stdout } = await promisify(execFile)(PYTHON, args);
    const wanted = Array.from({ length: COUNT }, (_, number) => `value ${number}`).toSorted();
    const byBroker = JSON.parse(stdout) as string[][];
    expect(byBroker.map((values) => values.toSorted())).toEqual([wanted, wanted, wanted]);
  },
);
