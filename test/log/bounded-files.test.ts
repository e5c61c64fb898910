import { describe, expect, it } from 'vitest';
import { BoundedFiles } from '../../src/log/segment/bounded-files.ts';
import { MemoryFiles } from '../../src/testing/twins/index.ts';

/** Lets everything run that is not held back. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn++) await undefined;
};

describe('files with a bound', () => {
  it('opens no more than the limit at a time, in the order of asking', async () => {
    const files = new BoundedFiles(new MemoryFiles(), 2);
    await files.makeDirectory('/d');
    const opened: string[] = [];
    const handles = ['a', 'b', 'c', 'd'].map(async (name) => {
      const handle = await files.open(`/d/${name}`, 'create');
      opened.push(name);
      return handle;
    });
    await settle();
    expect(opened).toEqual(['a', 'b']);
    await (await handles[0])?.close();
    await settle();
    expect(opened).toEqual(['a', 'b', 'c']);
    await (await handles[1])?.close();
    await (await handles[1])?.close();
    await settle();
    expect(opened).toEqual(['a', 'b', 'c', 'd']);
  });

  it('gives the place back of a file that could not be opened', async () => {
    const files = new BoundedFiles(new MemoryFiles(), 1);
    await files.makeDirectory('/d');
    await expect(files.open('/d/missing', 'read')).rejects.toMatchObject({ reason: 'not-found' });
    await (await files.open('/d/a', 'create')).close();
    expect(await files.list('/d')).toEqual(['a']);
  });

  it('serves all who ask for a sync of a directory while one is under way with the next one', async () => {
    const memory = new MemoryFiles();
    await memory.makeDirectory('/d');
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let syncs = 0;
    const perform = memory.perform.bind(memory);
    memory.perform = async (operation, path, effect) => {
      if (operation === 'sync-directory' && ++syncs === 1) await released;
      return perform(operation, path, effect);
    };
    const files = new BoundedFiles(memory, 4);
    const ended: number[] = [];
    const all = [1, 2, 3].map((n) => files.syncDirectory('/d').then(() => ended.push(n)));
    await settle();
    expect([syncs, ended]).toEqual([1, []]);
    release();
    await Promise.all(all);
    expect([syncs, ended]).toEqual([2, [1, 2, 3]]);
    await files.syncDirectory('/d');
    expect(syncs).toBe(3);
  });

  it('begins the next sync of a directory also after one that failed', async () => {
    const memory = new MemoryFiles();
    await memory.makeDirectory('/d');
    memory.failNext({ operation: 'sync-directory', path: '/d', reason: 'io-error' });
    const files = new BoundedFiles(memory, 4);
    const [first, second] = [files.syncDirectory('/d'), files.syncDirectory('/d')];
    await expect(first).rejects.toMatchObject({ reason: 'io-error' });
    await second;
    await files.syncDirectory('/d');
  });
});
