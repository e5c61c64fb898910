import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createPinoLogger, nodeClock, nodeFiles, nodeRandom, nodeTimers } from '../../src/env/node/index.ts';
import { createPromMetrics } from '../../src/env/node/prom-metrics.ts';
import { levelStores } from '../../src/raft/store/index.ts';
import { clockContract } from './clock-contract.ts';
import { filesContract } from './files-contract.ts';
import { keyValueStoreContract } from './key-value-store-contract.ts';
import { loggerContract } from './logger-contract.ts';
import { metricsContract } from './metrics-contract.ts';
import { randomContract } from './random-contract.ts';

const made: string[] = [];
afterAll(() => Promise.all(made.map((path) => rm(path, { recursive: true, force: true }))));
const makeDirectory = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'quorate-env-'));
  made.push(path);
  return path;
};

describe('the files of this machine', () => {
  filesContract(async () => ({ files: nodeFiles(), directory: await makeDirectory() }));

  it('a lock works in a directory with a path too long for a socket', async () => {
    const files = nodeFiles();
    const directory = `${await makeDirectory()}/${'long/'.repeat(40)}`;
    await files.makeDirectory(directory);
    const lock = await files.lock(`${directory}/.lock`);
    await expect(files.lock(`${directory}/.lock`)).rejects.toMatchObject({
      reason: 'locked',
      message: expect.stringContaining(String(process.pid)),
    });
    await lock.release();
    expect(await files.list(directory)).toEqual([]);
  });

  it('a directory that cannot be made is refused, not tried for ever', async () => {
    const refused = nodeFiles().makeDirectory('/proc/nope/deeper');
    await expect(refused).rejects.toMatchObject({ name: 'EnvironmentError' });
  });

  it('of many that want a lock at once, never two have it', async () => {
    const files = nodeFiles();
    const path = `${await makeDirectory()}/.lock`;
    for (let round = 0; round < 5; round++) {
      const tries = await Promise.allSettled(Array.from({ length: 8 }, () => files.lock(path)));
      const held = tries.filter((one) => one.status === 'fulfilled');
      expect(held.length).toBeLessThanOrEqual(1);
      for (const one of held) await one.value.release();
    }
    const lock = await files.lock(path);
    await lock.release();
  });
});

describe('LevelDB', () => {
  keyValueStoreContract(async () => ({
    stores: levelStores(),
    directory: `${await makeDirectory()}/store`,
  }));
});

describe('the clock of this machine', () => {
  clockContract(() => ({ clock: nodeClock(), timers: nodeTimers(), finish: (promise) => promise }));
});

describe("the system's random numbers", () => {
  randomContract(nodeRandom);
});

interface PinoLine {
  level: string;
  msg: string;
}

describe('pino', () => {
  const lines: string[] = [];
  const make = (level: 'debug' | 'warn') => {
    lines.length = 0;
    return createPinoLogger({ level, destination: { write: (line) => lines.push(line) } });
  };

  loggerContract(() => ({
    logger: make('debug'),
    lines: () =>
      lines.map((line) => {
        const { level, msg, ...fields } = JSON.parse(line) as PinoLine;
        return { level, message: msg, fields };
      }),
  }));

  it('keeps silent below its level', () => {
    const logger = make('warn');
    logger.info({}, 'not said');
    logger.warn({}, 'said');
    expect(lines).toHaveLength(1);
  });

  it('writes errors with their stack, and the time as ISO', () => {
    make('debug').error({ error: new Error('boom') }, 'failed');
    const line = JSON.parse(lines[0]!);
    expect(line.error).toMatchObject({ type: 'Error', message: 'boom', stack: expect.any(String) });
    expect(new Date(line.time).toISOString()).toBe(line.time);
  });

  it('has written to its file when the call returns', async () => {
    const path = `${await makeDirectory()}/logs/node.log`;
    createPinoLogger({ level: 'info', destination: path }).info({ a: 1 }, 'said');
    const handle = await nodeFiles().open(path, 'read');
    const bytes = Buffer.alloc(1000);
    expect(bytes.toString('utf8', 0, await handle.read(bytes, 0))).toContain('"msg":"said"');
    await handle.close();
  });
});

describe('Prometheus', () => {
  metricsContract(() => {
    const metrics = createPromMetrics({ labels: { node: '1' } });
    const figure = async (name: string): Promise<number | undefined> => {
      const line = (await metrics.text()).split('\n').find((one) => one.startsWith(`quorate_${name}{`));
      return line === undefined ? undefined : Number(line.split(' ').at(-1));
    };
    return { metrics, value: figure, count: async (name) => (await figure(`${name}_count`)) ?? 0 };
  });

  it('gives the text format, each node its own registry', async () => {
    const [one, two] = [createPromMetrics({ labels: { node: '1' } }), createPromMetrics({ prefix: 'x_' })];
    one.counter('a_total', 'what a counts').add(4);
    expect(await one.text()).toBe(
      '# HELP quorate_a_total what a counts\n# TYPE quorate_a_total counter\nquorate_a_total{node="1"} 4\n',
    );
    two.counter('a_total', 'what a counts');
    expect(await two.text()).toContain('x_a_total 0');
    expect(one.contentType).toContain('text/plain');
  });
});
