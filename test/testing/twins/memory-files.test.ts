import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { makeDurableDirectory } from '../../../src/env/index.ts';
import { MemoryFiles, Scheduler } from '../../../src/testing/twins/index.ts';

async function readAll(files: MemoryFiles, path: string): Promise<string> {
  const handle = await files.open(path, 'read');
  const bytes = Buffer.alloc(await handle.sizeBytes());
  await handle.read(bytes, 0);
  await handle.close();
  return bytes.toString();
}

/** Different outcomes of `SEEDS` power failures after `act`. */
const SEEDS = 200;
async function outcomes(
  act: (files: MemoryFiles) => Promise<void>,
  look: (files: MemoryFiles) => Promise<string>,
): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let seed = 0; seed < SEEDS; seed++) {
    const files = new MemoryFiles();
    await act(files);
    files.crash(new SeededRandom(seed));
    seen.add(await look(files));
  }
  return seen;
}

describe('a power failure', () => {
  it('keeps what was synced, and of the rest anything or nothing', async () => {
    const seen = await outcomes(
      async (files) => {
        const handle = await files.open('/a', 'create');
        await handle.write([Buffer.from('safe')], 0);
        await handle.sync();
        await files.syncDirectory('/');
        await handle.write([Buffer.from('lost')], 4);
      },
      (files) => readAll(files, '/a'),
    );
    expect([...seen].every((text) => text.startsWith('safe'))).toBe(true);
    expect(seen).toContain('safe');
    expect(seen).toContain('safelost');
    expect(seen).toContain('safelo');
  });

  it('can keep a later sector and lose an earlier one, which then reads as zeros', async () => {
    const seen = await outcomes(
      async (files) => {
        const handle = await files.open('/a', 'create');
        await files.syncDirectory('/');
        await handle.write([Buffer.alloc(512, 'x'), Buffer.alloc(512, 'y')], 0);
      },
      (files) => readAll(files, '/a'),
    );
    expect(seen).toContain('\0'.repeat(512) + 'y'.repeat(512));
    expect(seen).toContain('x'.repeat(512));
  });

  it('loses a new file whose directory was not synced, data synced or not', async () => {
    const seen = await outcomes(
      async (files) => {
        const handle = await files.open('/a', 'create');
        await handle.write([Buffer.from('x')], 0);
        await handle.sync();
      },
      async (files) => String((await files.stat('/a')) !== undefined),
    );
    expect([...seen].sort()).toEqual(['false', 'true']);
  });

  it('undoes or keeps a rename that was not synced, never half of it', async () => {
    const seen = await outcomes(
      async (files) => {
        for (const [path, text] of [
          ['/a', 'new'],
          ['/b', 'old'],
        ] as const) {
          const handle = await files.open(path, 'create');
          await handle.write([Buffer.from(text)], 0);
          await handle.sync();
        }
        await files.syncDirectory('/');
        await files.rename('/a', '/b');
      },
      async (files) => `${await files.list('/')} ${await readAll(files, '/b')}`,
    );
    expect([...seen].sort()).toEqual(['a,b old', 'b new']);
  });

  it('loses a directory whose parent was not synced; makeDurableDirectory keeps the whole way', async () => {
    const look = async (files: MemoryFiles): Promise<string> => String((await files.stat('/a/b/c'))?.kind);
    const lost = await outcomes(async (files) => {
      await files.makeDirectory('/a/b/c');
      await files.syncDirectory('/a/b');
    }, look);
    expect(lost).toContain('undefined');
    const kept = await outcomes((files) => makeDurableDirectory(files, '/a/b/c'), look);
    expect([...kept]).toEqual(['directory']);
    const keptLater = await outcomes(async (files) => {
      // By a process that died here, say.
      await files.makeDirectory('/a/b/c');
      await makeDurableDirectory(files, '/a/b/c');
    }, look);
    expect([...keptLater]).toEqual(['directory']);
  });

  it('may or may not find what was under way when it came', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < SEEDS; seed++) {
      const scheduler = new Scheduler();
      const files = new MemoryFiles({ latency: { scheduler, delayMs: () => 1 } });
      const handle = await scheduler.finish(files.open('/a', 'create'));
      await scheduler.finish(files.syncDirectory('/'));
      await scheduler.finish(handle.write([Buffer.from('x')], 0));
      let told = false;
      void handle.sync().then(() => {
        told = true;
      });
      files.crash(new SeededRandom(seed));
      await scheduler.run(10);
      expect(told).toBe(false);
      seen.add(await scheduler.finish(readAll(files, '/a')));
    }
    expect([...seen].sort()).toEqual(['', 'x']);
  });
});

describe('faults', () => {
  it('the n-th operation that matches fails, the others do not', async () => {
    const files = new MemoryFiles();
    const handle = await files.open('/a', 'create');
    files.failNext({ operation: 'write', path: '/a', reason: 'io-error', after: 1 });
    await handle.write([Buffer.from('1')], 0);
    await expect(handle.write([Buffer.from('2')], 1)).rejects.toMatchObject({ reason: 'io-error' });
    await handle.write([Buffer.from('3')], 1);
    expect(await readAll(files, '/a')).toBe('13');
  });

  it('after a failed sync the handle is useless and its data never become durable', async () => {
    const files = new MemoryFiles();
    const handle = await files.open('/a', 'create');
    await files.syncDirectory('/');
    await handle.write([Buffer.from('x')], 0);
    files.failNext({ operation: 'sync', reason: 'io-error' });
    await expect(handle.sync()).rejects.toMatchObject({ reason: 'io-error' });
    await expect(handle.sync()).rejects.toMatchObject({ reason: 'io-error' });
    await expect(handle.write([Buffer.from('y')], 1)).rejects.toMatchObject({ reason: 'io-error' });
    const another = await files.open('/a', 'write');
    await another.sync();
    expect(await readAll(files, '/a')).toBe('x');
    const left = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      files.crash(new SeededRandom(seed));
      left.add(await readAll(files, '/a'));
    }
    expect(left).toContain('');
  });

  it('what was overwritten durably after a failed sync never comes back', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const files = new MemoryFiles();
      const handle = await files.open('/a', 'create');
      await handle.write([Buffer.from('......')], 0);
      await handle.sync();
      await files.syncDirectory('/');
      await handle.write([Buffer.from('llllll')], 0);
      files.failNext({ operation: 'sync', reason: 'io-error' });
      await expect(handle.sync()).rejects.toMatchObject({ reason: 'io-error' });
      const another = await files.open('/a', 'write');
      await another.write([Buffer.from('new')], 1);
      await another.sync();
      files.crash(new SeededRandom(seed));
      expect(await readAll(files, '/a')).toMatch(/^[l.]new[l.]{2}$/);
    }
  });

  it('a full disk takes what fits, and more once space was freed', async () => {
    const files = new MemoryFiles({ capacityBytes: 6 });
    const handle = await files.open('/a', 'create');
    await handle.write([Buffer.from('1234')], 0);
    await expect(handle.write([Buffer.from('5678')], 4)).rejects.toMatchObject({ reason: 'disk-full' });
    expect(await readAll(files, '/a')).toBe('123456');
    await handle.write([Buffer.from('ab')], 0);
    files.capacityBytes = 8;
    await handle.write([Buffer.from('78')], 6);
    expect(await readAll(files, '/a')).toBe('ab345678');
  });

  it('a path that fails for ever fails until it is told not to', async () => {
    const files = new MemoryFiles();
    await files.makeDirectory('/a');
    files.failNext({ operation: 'open', path: '/a', reason: 'io-error', times: Number.POSITIVE_INFINITY });
    files.failNext({ operation: 'open', path: '/b', reason: 'io-error' });
    for (let i = 0; i < 3; i++) await expect(files.open('/a/1', 'create')).rejects.toThrow('io-error');
    files.failNoMore('/a');
    expect(await files.open('/a/1', 'create')).toBeDefined();
    await expect(files.open('/b', 'create')).rejects.toThrow('io-error');
  });

  it('a flipped bit stays flipped', async () => {
    const files = new MemoryFiles();
    const handle = await files.open('/a', 'create');
    await handle.write([Buffer.from('a')], 0);
    files.flipBit('/a', 1);
    expect(await readAll(files, '/a')).toBe('c');
    files.crash(new SeededRandom(1));
    expect(files.paths()).toBeDefined();
  });

  it('a slow sync covers only what was written before it began', async () => {
    const scheduler = new Scheduler();
    const files = new MemoryFiles({
      latency: { scheduler, delayMs: (operation) => (operation === 'sync' ? 1000 : 1) },
    });
    const handle = await scheduler.finish(files.open('/a', 'create'));
    await scheduler.finish(files.syncDirectory('/'));
    await scheduler.finish(handle.write([Buffer.from('a')], 0));
    const synced = handle.sync();
    await scheduler.finish(handle.write([Buffer.from('b')], 1));
    await scheduler.finish(synced);
    const seen = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      files.crash(new SeededRandom(seed));
      seen.add(await scheduler.finish(readAll(files, '/a')));
    }
    expect([...seen].every((text) => text.startsWith('a'))).toBe(true);
  });

  it('the locks of a dead process fall', async () => {
    const files = new MemoryFiles();
    await files.lock('/.lock');
    files.kill();
    expect(await files.lock('/.lock')).toBeDefined();
  });
});
