import { beforeEach, describe, expect, it } from 'vitest';
import { CorruptionError } from '../../../src/base/index.ts';
import { cleanedPath, decideSwap, finishSwap, recoverSwaps } from '../../../src/log/compaction/swap-files.ts';
import { stampBatch } from '../../../src/log/record/index.ts';
import { MemoryFiles } from '../../../src/testing/twins/index.ts';
import { batchOf } from '../log-fixture.ts';

const DIRECTORY = '/log';
const name = (base: number, suffix = 'log') => `${String(base).padStart(20, '0')}.${suffix}`;

describe('a swap of files', () => {
  let files: MemoryFiles;

  const write = async (file: string, bytes: Uint8Array) => {
    const handle = await files.open(`${DIRECTORY}/${file}`, 'create');
    await handle.write([bytes], 0);
    await handle.sync();
  };
  const segment = async (base: number, count: number, suffix = 'log') => {
    const batch = batchOf(Array.from({ length: count }, (_, i) => `value ${base + i}`));
    stampBatch(batch, { baseOffset: base, leaderEpoch: 0 });
    await write(name(base, suffix), batch);
  };

  const recover = async () => recoverSwaps(files, DIRECTORY, await files.list(DIRECTORY));

  beforeEach(async () => {
    files = new MemoryFiles();
    await files.makeDirectory(DIRECTORY);
    for (const base of [0, 10, 20, 30]) {
      await segment(base, 10);
      for (const suffix of ['index', 'timeindex', 'snapshot'])
        await write(name(base, suffix), new Uint8Array(0));
    }
    await segment(10, 20, 'log.cleaned');
    await files.syncDirectory(DIRECTORY);
  });

  const left = [0, 10, 30].flatMap((base) => [
    ...(base === 10 ? [] : [name(base, 'index')]),
    ...[name(base), name(base, 'snapshot')],
    ...(base === 10 ? [] : [name(base, 'timeindex')]),
  ]);

  it('makes each step durable before the next', async () => {
    const steps: string[] = [];
    const perform = files.perform.bind(files);
    files.perform = (operation, path, effect) => {
      const step = `${operation} ${path.slice(path.lastIndexOf('.') + 1)}`;
      if (operation !== 'size') steps.push(step);
      return perform(operation, path, effect);
    };
    await decideSwap(files, DIRECTORY, 10);
    await finishSwap(files, DIRECTORY, 10, [20], async () => {
      steps.push('save');
    });
    const sync = `${steps.find((step) => step.startsWith('sync'))}`;
    const removals = ['log', 'index', 'timeindex', 'snapshot', 'index', 'timeindex'].map(
      (one) => `remove ${one}`,
    );
    expect(steps).toEqual(['rename cleaned', sync, ...removals, 'save', sync, 'rename swap', sync]);
    expect(await files.list(DIRECTORY)).toEqual(left);
  });

  it('is undone at the next opening unless it was decided', async () => {
    const before = (await files.list(DIRECTORY)).filter((one) => !one.endsWith('.cleaned'));
    await recover();
    expect(await files.list(DIRECTORY)).toEqual(before);
    expect(await files.stat(cleanedPath(DIRECTORY, 10))).toBeUndefined();
  });

  it('is finished at the next opening once it was decided, wherever it stopped', async () => {
    await decideSwap(files, DIRECTORY, 10);
    const all = await files.list(DIRECTORY);
    const gone = all.filter((one) => one.startsWith(name(20, '')) || /0010\..*index/.test(one));
    for (let removed = 0; removed <= gone.length; removed++) {
      await recover();
      expect(await files.list(DIRECTORY)).toEqual(left);
      const size = (await files.stat(`${DIRECTORY}/${name(10)}`))?.sizeBytes ?? 0;
      expect(size).toBeGreaterThan(300);
      await segment(10, 20, 'log.swap');
      for (const one of gone.slice(removed)) await write(one, new Uint8Array(0));
    }
  });

  it('is damage when what was decided ends where no segment begins: it would take others with it', async () => {
    const before = await files.list(DIRECTORY);
    await segment(10, 25, 'log.swap');
    await expect(recover()).rejects.toThrow(CorruptionError);
    expect(await files.list(DIRECTORY)).toEqual(
      expect.arrayContaining(before.filter((one) => !one.endsWith('.cleaned'))),
    );
  });

  it('is damage when what was decided is not whole', async () => {
    await write(name(10, 'log.swap'), new Uint8Array(0));
    await expect(recover()).rejects.toThrow(CorruptionError);
    await segment(10, 20, 'log.swap');
    files.damage(`${DIRECTORY}/${name(10, 'log.swap')}`, (bytes) => bytes.subarray(0, bytes.length - 1));
    await expect(recover()).rejects.toThrow(CorruptionError);
  });
});
