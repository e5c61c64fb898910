import { describe, expect, it } from 'vitest';
import type { FileHandle, Files } from '../../../src/env/index.ts';
import { Freezer } from '../../../src/testing/cluster/faults/freezer.ts';
import { NodeDisk } from '../../../src/testing/cluster/faults/node-disk.ts';
import { SyncLedger } from '../../../src/testing/cluster/faults/sync-ledger.ts';
import { createTestEnvironment, MemoryFiles, settle } from '../../../src/testing/twins/index.ts';
import { filesContract } from '../../env/files-contract.ts';
import { keyValueStoreContract } from '../../env/key-value-store-contract.ts';

describe('files of a node disk that nothing is wrong with', () => {
  filesContract(async () => {
    const environment = createTestEnvironment({ seed: 1 });
    const { files } = new Freezer().wrap(new NodeDisk(environment.timers).wrap(environment));
    await files.makeDirectory('/data');
    return { files, directory: '/data' };
  });
});

describe('stores of a node disk that nothing is wrong with', () => {
  keyValueStoreContract(async () => {
    const environment = createTestEnvironment({ seed: 1 });
    const { stores } = new Freezer().wrap(new NodeDisk(environment.timers).wrap(environment));
    return { stores, directory: '/data/store' };
  });
});

describe('the ledger of synced bytes', () => {
  const raw = new MemoryFiles();
  const ledger = new SyncLedger();
  const files = ledger.files(raw);
  let count = 0;

  async function newFile(text: string): Promise<FileHandle> {
    const handle = await files.open(`/file-${count++}`, 'create');
    await put(handle, text, 0);
    await handle.sync();
    return handle;
  }

  const put = (handle: FileHandle, text: string, at: number): Promise<void> =>
    handle.write([Buffer.from(text)], at);

  async function afterPowerLoss(path: string): Promise<string> {
    await ledger.lose(raw);
    return read(raw, path);
  }

  it('gives up what was appended since the last sync', async () => {
    const file = await newFile('synced');
    await put(file, ' lost', 6);
    await put(file, ' too', 11);
    await file.close();
    expect(await afterPowerLoss(file.path)).toBe('synced');
  });

  it('brings back what was overwritten and cut off since', async () => {
    const file = await newFile('0123456789');
    await put(file, 'abc', 2);
    await file.truncate(4);
    await put(file, 'xyz', 4);
    await put(file, '__', 1);
    await file.close();
    expect(await afterPowerLoss(file.path)).toBe('0123456789');
  });

  it('keeps what a sync covered, and only that', async () => {
    const file = await newFile('a');
    await put(file, 'b', 1);
    const sync = file.sync();
    const later = put(file, 'c', 2);
    await Promise.all([sync, later]);
    await file.close();
    expect(await afterPowerLoss(file.path)).toBe('ab');
  });

  it('follows a file under its new name, and forgets what the new one had', async () => {
    const file = await newFile('new');
    const other = await newFile('old');
    await put(file, '!', 3);
    await put(other, '!', 3);
    await Promise.all([file.close(), other.close()]);
    await files.rename(file.path, other.path);
    expect(await afterPowerLoss(other.path)).toBe('new');
  });

  it('outlives the node: bytes of an earlier life are as unsynced as before', async () => {
    const file = await newFile('1');
    await put(file, '2', 1);
    await file.close();
    const again = await ledger.files(raw).open(file.path, 'write');
    await put(again, '3', 2);
    await again.close();
    expect(await afterPowerLoss(file.path)).toBe('1');
  });
});

async function read(files: Files, path: string): Promise<string> {
  const handle = await files.open(path, 'read');
  const bytes = Buffer.alloc(await handle.sizeBytes());
  await handle.read(bytes, 0);
  return bytes.toString();
}

describe('a frozen node', () => {
  it('runs timers that came due when it thaws, in order, but for those it cancels', async () => {
    const environment = createTestEnvironment({ seed: 1 });
    const freezer = new Freezer();
    const { timers } = freezer.wrap(environment);
    const ran: number[] = [];
    timers.after(2, () => ran.push(2));
    timers.after(1, () => ran.push(1));
    const cancelled = timers.after(3, () => ran.push(3));
    freezer.freeze();
    await environment.scheduler.run(10);
    cancelled.cancel();
    expect(ran).toEqual([]);
    freezer.thaw();
    expect(ran).toEqual([1, 2]);
  });

  it('does not hear that its disk is done', async () => {
    const environment = createTestEnvironment({ seed: 1 });
    const freezer = new Freezer();
    const { files } = freezer.wrap(environment);
    let isDone = false;
    const making = files.makeDirectory('/data').then(() => {
      isDone = true;
    });
    freezer.freeze();
    await settle();
    expect(isDone).toBe(false);
    expect(await environment.files.stat('/data')).toBeDefined();
    freezer.thaw();
    await making;
    expect(isDone).toBe(true);
  });
});
