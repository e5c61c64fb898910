import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../../src/env/node/index.ts';
import { ENTRIES_AT_ONCE_MAX } from '../../../src/raft/core/limits.ts';
import { levelStores, openQuorumStore } from '../../../src/raft/store/index.ts';
import { createTestEnvironment } from '../../../src/testing/twins/index.ts';
import {
  append,
  CLUSTER,
  contents,
  type Disk,
  elected,
  entries,
  format,
  open,
  VOTERS,
} from './store-fixture.ts';

const made: string[] = [];
afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true, force: true }))));

const worlds: Record<string, () => Promise<Disk>> = {
  twins: async () => {
    const { files, stores } = createTestEnvironment({ seed: 1 });
    return { directory: '/data/metadata', files, stores };
  },
  LevelDB: async () => {
    const root = await mkdtemp(join(tmpdir(), 'quorate-store-'));
    made.push(root);
    return { directory: `${root}/metadata`, files: nodeFiles(), stores: levelStores() };
  },
};

for (const [name, makeDisk] of Object.entries(worlds)) {
  describe(`a quorum store on ${name}`, () => {
    let disk: Disk;
    beforeEach(async () => {
      disk = await makeDisk();
    });

    it('is empty where nothing was formatted', async () => {
      expect(await openQuorumStore(disk)).toEqual({ kind: 'empty' });
    });

    it('opens as formatted: identity, voters, no entries', async () => {
      await format(disk);
      const store = await open(disk);
      expect(store.identity.clusterId).toBe(CLUSTER);
      expect(store.hardState).toEqual({ epoch: 0, leaderId: -1, voters: VOTERS, tailFloor: 0 });
      expect(store.log).toEqual({ startOffset: 0, endOffset: 0, lastEpoch: 0 });
      expect(store.epochs).toEqual([]);
      await store.close();
    });

    it('reads many small entries in parts', async () => {
      await format(disk);
      const store = await open(disk);
      await store.saveHardState(elected(1));
      const count = ENTRIES_AT_ONCE_MAX + 100;
      await append(store, entries(0, count, 1, 9));
      expect(await store.read(0, count, 1_000_000)).toHaveLength(ENTRIES_AT_ONCE_MAX);
      await store.close();
    });

    it('is not formatted twice', async () => {
      await format(disk);
      await expect(format(disk)).rejects.toThrow('formatted already');
    });

    it('gives back after reopening what was appended, with its epochs', async () => {
      await format(disk);
      const store = await open(disk);
      await store.saveHardState(elected(3, 2));
      await append(store, entries(0, 3, 1));
      await append(store, entries(3, 2, 3));
      const before = await contents(store);
      expect(store.log).toEqual({ startOffset: 0, endOffset: 5, lastEpoch: 3 });
      await store.close();
      const again = await open(disk);
      expect(await contents(again)).toEqual(before);
      expect(before).toEqual(['1:0', '1:1', '1:2', '3:3', '3:4']);
      expect(again.epochs).toEqual([
        { epoch: 1, startOffset: 0 },
        { epoch: 3, startOffset: 3 },
      ]);
      expect(again.hardState).toEqual({ ...elected(3, 2), tailFloor: 5 });
      await again.close();
    });

    it('a truncating append removes the tail, forgets its epochs and lowers the floor', async () => {
      await format(disk);
      const store = await open(disk);
      await store.saveHardState(elected(4));
      await append(store, entries(0, 3, 1));
      await append(store, entries(3, 3, 2));
      await append(store, entries(2, 1, 4), 2);
      expect(store.log).toEqual({ startOffset: 0, endOffset: 3, lastEpoch: 4 });
      expect(await contents(store)).toEqual(['1:0', '1:1', '4:2']);
      await store.close();
      const again = await open(disk);
      expect(await contents(again)).toEqual(['1:0', '1:1', '4:2']);
      expect(again.epochs.map(({ epoch }) => epoch)).toEqual([1, 4]);
      await append(again, [], 0);
      expect(again.log.endOffset).toBe(0);
      await append(again, entries(0, 1, 4));
      expect(await contents(again)).toEqual(['4:0']);
      await again.close();
    });

    it('appends that overlap in time take effect in order', async () => {
      await format(disk);
      const store = await open(disk);
      await store.saveHardState(elected(2));
      await Promise.all([
        append(store, entries(0, 2)),
        append(store, entries(2, 2)),
        append(store, entries(1, 2, 2), 1),
        append(store, entries(3, 1, 2)),
      ]);
      expect(await contents(store)).toEqual(['1:0', '2:1', '2:2', '2:3']);
      await store.close();
      const again = await open(disk);
      expect(await contents(again)).toEqual(['1:0', '2:1', '2:2', '2:3']);
      await again.close();
    });

    it('reads from the store what is no longer in memory', async () => {
      await format(disk);
      const store = await open(disk);
      await store.saveHardState(elected(1));
      await append(store, entries(0, 1000));
      await store.close();
      const again = await open(disk);
      expect(await contents(again)).toHaveLength(1000);
      expect(await again.read(10, 20, 1)).toHaveLength(1);
      expect(await again.read(10, 20, 25)).toHaveLength(3);
      expect((await again.read(990, 1000, 1e6)).map((entry) => entry.offset)).toEqual([
        990, 991, 992, 993, 994, 995, 996, 997, 998, 999,
      ]);
      expect(await again.read(1000, 1000, 1e6)).toEqual([]);
      await expect(again.read(0, 1001, 1e6)).rejects.toThrow('stays in the durable log');
      await again.close();
    });

    it('keeps the vote of an epoch until the next epoch', async () => {
      await format(disk);
      const store = await open(disk);
      const [first, second] = [VOTERS[0]!, VOTERS[1]!];
      await store.saveHardState({ ...elected(2), votedFor: first });
      await expect(store.saveHardState({ ...elected(2), votedFor: second })).rejects.toThrow('a vote');
      await expect(store.saveHardState(elected(2))).rejects.toThrow('a vote');
      await expect(store.saveHardState(elected(1))).rejects.toThrow('the epoch never falls');
      await store.close();
      const again = await open(disk);
      expect(again.hardState).toEqual({ ...elected(2), votedFor: first, tailFloor: 0 });
      await again.saveHardState({ ...elected(3), votedFor: second });
      expect(again.hardState.votedFor).toEqual(second);
      await again.close();
    });

    it('is locked while open', async () => {
      await format(disk);
      const store = await open(disk);
      await expect(openQuorumStore(disk)).rejects.toMatchObject({ reason: 'locked' });
      await store.close();
    });

    it('refuses everything once closed', async () => {
      await format(disk);
      const store = await open(disk);
      await store.close();
      await expect(append(store, entries(0, 1))).rejects.toMatchObject({ reason: 'closed' });
      await expect(store.read(0, 0, 1)).rejects.toMatchObject({ reason: 'closed' });
      await expect(store.saveHardState(elected(1))).rejects.toMatchObject({ reason: 'closed' });
    });
  });
}
