import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterDescription } from '../../../src/cli/cluster-file.ts';
import { expectPlainWords, quorate } from './command.ts';
import { type Running, start } from './running.ts';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quorate-dev-test-'));
});

afterAll(() => rm(directory, { recursive: true }));

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

/** Stops what a test started, also when it failed. */
async function during<T>(running: Running, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    if (running.child.exitCode === null && running.child.signalCode === null) await running.end('SIGKILL');
  }
}

describe.each([
  { how: 'in one process', options: [], pids: 1 },
  { how: 'as processes', options: ['--processes'], pids: 3 },
])('dev $how', ({ options, pids }) => {
  const work = (name: string): string => join(directory, `${name}-${pids}`);
  const dev = ['dev', '--controllers', '1', '--brokers', '2', '--json', ...options];

  it('describes itself, is found by other commands, and finds its data again', async () => {
    const data = work('again');
    const cwd = directory;
    const first = await start([...dev, '--port', '0', '--data-dir', data], { cwd });
    const cluster = JSON.parse(first.line) as ClusterDescription;
    const env = { QUORATE_DATA_DIR: data };
    await during(first, async () => {
      expect(Object.keys(cluster)).toEqual(['clusterId', 'readyMs', 'bootstrap', 'controllers', 'nodes']);
      expect(cluster.bootstrap).toMatch(/^127\.0\.0\.1:\d+,127\.0\.0\.1:\d+$/);
      expect(cluster.controllers).toMatch(/^127\.0\.0\.1:\d+$/);
      expect(cluster.nodes.map(({ id, roles }) => [id, roles])).toEqual([
        [101, ['controller']],
        [1, ['broker']],
        [2, ['broker']],
      ]);
      expect(Object.keys(cluster.nodes[1] ?? {})).toEqual(['id', 'roles', 'pid', 'listeners', 'dataDir']);
      expect(Object.keys(cluster.nodes[1]?.listeners ?? {})).toEqual(['CLIENT', 'REPLICA']);
      expect(new Set(cluster.nodes.map(({ pid }) => pid)).size).toBe(pids);
      expect(await readJson(join(data, 'cluster.json'))).toEqual(cluster);
      const created = await quorate(['topics', 'create', 'kept', '--replication-factor', '2'], { cwd, env });
      expect(created).toMatchObject({ code: 0, stderr: '' });
      expect((await quorate(['produce', 'kept'], { cwd, env, stdin: 'a\nb\n' })).code).toBe(0);
      expect(await first.end('SIGINT')).toBe(0);
    });
    const second = await start([...dev, '--data-dir', data], { cwd });
    await during(second, async () => {
      const again = JSON.parse(second.line) as ClusterDescription;
      expect(again).toMatchObject({ clusterId: cluster.clusterId, bootstrap: cluster.bootstrap });
      const read = await quorate(['consume', 'kept', '--from-beginning', '--max-messages', '2'], {
        cwd,
        env,
      });
      expect(read.stdout.split('\n').sort()).toEqual(['', 'a', 'b']);
      expect(await second.end('SIGTERM')).toBe(0);
      expect(second.errors()).toBe('');
    });
  });

  it('a second one on the same directory says that one runs, and where', async () => {
    const data = work('second');
    const first = await start([...dev, '--port', '0', '--data-dir', data]);
    await during(first, async () => {
      const second = await quorate(['dev', '--data-dir', data]);
      const { bootstrap } = JSON.parse(first.line) as ClusterDescription;
      expect(second).toMatchObject({ code: 1, stdout: '' });
      expect(expectPlainWords(second.stderr)).toContain(`runs already in ${data} at ${bootstrap}`);
    });
  });

  it('a port that another program has is named, and nothing is left running', async () => {
    const first = await start([...dev, '--port', '0', '--data-dir', work('port')]);
    await during(first, async () => {
      const taken = (JSON.parse(first.line) as ClusterDescription).bootstrap.split(':').at(-1) ?? '';
      const other = await quorate([...dev, '--port', taken, '--data-dir', work('port-taken')]);
      expect(other).toMatchObject({ code: 1, stdout: '' });
      expect(expectPlainWords(other.stderr)).toMatch(/127\.0\.0\.1:\d+ is in use/);
      expect(other.stderr).toContain('--port');
    });
  });
});

it('a node process ends with its parent', async () => {
  const data = join(directory, 'orphans');
  const words = ['dev', '--controllers', '1', '--brokers', '1', '--processes', '--json', '--port', '0'];
  const dev = await start([...words, '--data-dir', data]);
  const { nodes } = JSON.parse(dev.line) as ClusterDescription;
  await dev.end('SIGKILL');
  await expect.poll(() => nodes.filter(({ pid }) => isAlive(pid)), { timeout: 20_000 }).toEqual([]);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A process that nobody waited for is still listed.
  return !isZombie(pid);
}

function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
