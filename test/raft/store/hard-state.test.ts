import { beforeEach, expect, it } from 'vitest';
import { randomUuid, SeededRandom } from '../../../src/base/index.ts';
import {
  COPY_BYTES,
  decodeHardState,
  encodeHardState,
  VOTERS_MAX,
} from '../../../src/raft/store/hard-state-codec.ts';
import { HardStateFile } from '../../../src/raft/store/hard-state-file.ts';
import type { HardState } from '../../../src/raft/store/index.ts';
import { MemoryFiles } from '../../../src/testing/twins/index.ts';
import { CLUSTER, DIRECTORY_ID, VOTERS } from './store-fixture.ts';

const IDENTITY = { clusterId: CLUSTER, directoryId: DIRECTORY_ID, nodeId: 1 };
const PATH = '/quorum-state';
const FILE_BYTES = 16_384;

const stateOf = (epoch: number): HardState => ({
  epoch,
  leaderId: epoch % 3,
  ...(epoch % 2 === 0 ? { votedFor: VOTERS[epoch % 3]! } : {}),
  voters: VOTERS,
  tailFloor: epoch * 10,
});

let files: MemoryFiles;
beforeEach(async () => {
  files = new MemoryFiles();
  await HardStateFile.create(files, PATH, IDENTITY, stateOf(0));
  await files.syncDirectory('/');
});

async function open(): Promise<HardStateFile> {
  const opening = await HardStateFile.open(files, PATH);
  if (opening.kind !== 'open') throw new Error(opening.reason);
  return opening.file;
}

async function save(...epochs: number[]): Promise<void> {
  const file = await open();
  for (const epoch of epochs) await file.replace(stateOf(epoch));
  await file.close();
}

async function bytes(): Promise<Buffer> {
  const handle = await files.open(PATH, 'read');
  const all = Buffer.alloc(FILE_BYTES);
  await handle.read(all, 0);
  return all;
}

it('what was saved last is what is opened, whichever slot it went to', async () => {
  for (const epoch of [1, 2, 3, 4, 5]) {
    await save(epoch);
    const file = await open();
    expect(file.state).toEqual(stateOf(epoch));
    expect(file.identity).toEqual(IDENTITY);
    await file.close();
  }
});

it.each([1, 2])('a write torn at any byte leaves the state before or after it (slot %i)', async (extra) => {
  const first = extra === 1 ? [1] : [1, 2];
  await save(...first);
  const before = await bytes();
  const last = first.length;
  await save(last + 1);
  const after = await bytes();
  const slot = ((last + 1) % 2) * 8192;
  for (let torn = 0; torn <= 8192; torn += torn < 600 || (torn > 4090 && torn < 4700) ? 1 : 97) {
    const mixed = Buffer.from(before);
    after.copy(mixed, slot, slot, slot + torn);
    files.damage(PATH, () => mixed);
    const file = await open();
    expect([last, last + 1]).toContain(file.state.epoch);
    expect(file.state).toEqual(stateOf(file.state.epoch));
    await file.replace(stateOf(last + 2));
    await file.close();
    const healed = await open();
    expect(healed.state).toEqual(stateOf(last + 2));
    await healed.close();
  }
});

it('no damaged sector takes the node back in time', async () => {
  await save(1, 2, 3);
  const good = await bytes();
  for (let sector = 0; sector < FILE_BYTES / 512; sector++) {
    files.damage(PATH, () => Buffer.from(good).fill(0xa5, sector * 512, (sector + 1) * 512));
    const file = await open();
    expect(file.state).toEqual(stateOf(3));
    await file.close();
  }
});

it('a slot without a readable copy may have held a vote: damaged', async () => {
  await save(1, 2, 3);
  for (const slot of [0, 8192]) {
    const bad = await bytes();
    bad[slot + 30]! ^= 1;
    bad[slot + 4096 + 30]! ^= 1;
    const good = await bytes();
    files.damage(PATH, () => bad);
    expect(await HardStateFile.open(files, PATH)).toMatchObject({ kind: 'damaged' });
    files.damage(PATH, () => good);
  }
});

it('a file that was cut, emptied or zeroed is damaged', async () => {
  const good = await bytes();
  for (const content of [good.subarray(0, FILE_BYTES - 1), Buffer.alloc(0), Buffer.alloc(FILE_BYTES)]) {
    files.damage(PATH, () => content);
    expect(await HardStateFile.open(files, PATH)).toMatchObject({ kind: 'damaged' });
  }
});

it('the bytes of a copy are as documented', () => {
  const identity = { clusterId: 'AAAAAAAAAAAAAAAAAAAAAQ', directoryId: 'AAAAAAAAAAAAAAAAAAAAAg', nodeId: 1 };
  const voter = { id: 2, directoryId: 'AAAAAAAAAAAAAAAAAAAAAw' };
  const state = { epoch: 5, leaderId: -1, votedFor: voter, voters: [voter], tailFloor: 300 };
  const copy = encodeHardState({ generation: 7, identity, state });
  expect(copy.byteLength).toBe(COPY_BYTES);
  expect(copy.toString('hex').replace(/(00)+$/, '')).toMatchInlineSnapshot(
    `"514853310001006d0000000000000007af4f046b00000000000000000000000000000001000000000000000000000000000000020000000100000005ffffffff000000000000012c000000020000000000000000000000000000000300000000000000000000000000000000010000000200000000000000000000000000000003"`,
  );
});

it('every flipped bit of a copy is noticed', () => {
  const copy = encodeHardState({ generation: 8, identity: IDENTITY, state: stateOf(4) });
  const used = 20 + copy.readUInt16BE(6);
  for (let bit = 0; bit < used * 8; bit++) {
    const flipped = Buffer.from(copy);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    expect(decodeHardState(flipped)).toBeUndefined();
  }
  expect(decodeHardState(copy)?.state).toEqual(stateOf(4));
});

it('saves that overlap share a write, and none is lost or out of order', async () => {
  const file = await open();
  const generation = file.generation;
  await Promise.all([1, 2, 3, 4, 5, 6].map((epoch) => file.replace(stateOf(epoch))));
  expect(file.state).toEqual(stateOf(6));
  expect(file.generation - generation).toBeLessThanOrEqual(2);
  await file.close();
  expect((await open()).state).toEqual(stateOf(6));
});

it('a resolved save survives any power failure, an unresolved one is there whole or not at all', async () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = new SeededRandom(seed);
    files = new MemoryFiles();
    await HardStateFile.create(files, PATH, IDENTITY, stateOf(0));
    await files.syncDirectory('/');
    let saved = 0;
    for (let round = 0; round < 5; round++) {
      const file = await open();
      expect([saved, saved + 1]).toContain(file.state.epoch);
      saved = file.state.epoch;
      const resolved = random.integer(0, 4);
      for (let i = 0; i < resolved; i++) await file.replace(stateOf(++saved));
      let done = false;
      void file.replace(stateOf(saved + 1)).then(() => {
        done = true;
      });
      for (let tick = random.integer(0, 12); tick > 0; tick--) await undefined;
      files.crash(random);
      if (done) saved++;
    }
  }
});

it('what is read after a sync that failed survives any power failure from then on', async () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = new SeededRandom(seed);
    files = new MemoryFiles();
    await HardStateFile.create(files, PATH, IDENTITY, stateOf(0));
    await files.syncDirectory('/');
    const file = await open();
    files.failNext({ operation: 'sync', reason: 'io-error' });
    await expect(file.replace(stateOf(1))).rejects.toMatchObject({ reason: 'io-error' });
    files.kill();
    const { epoch } = (await open()).state;
    files.crash(random);
    expect((await open()).state.epoch).toBe(epoch);
  }
});

it('whoever cannot open it leaves no file open', async () => {
  for (const operation of ['read', 'write', 'sync'] as const) {
    files.failNext({ operation, path: PATH, reason: 'io-error' });
    await expect(HardStateFile.open(files, PATH)).rejects.toMatchObject({ reason: 'io-error' });
    expect(files.openPaths()).toEqual([]);
  }
});

it('the largest voter set fits', async () => {
  const random = new SeededRandom(3);
  const voters = Array.from({ length: VOTERS_MAX }, (_, id) => ({ id, directoryId: randomUuid(random) }));
  const file = await open();
  await file.replace({ ...stateOf(1), voters });
  await file.close();
  expect((await open()).state.voters).toEqual(voters);
  expect(VOTERS_MAX).toBeGreaterThanOrEqual(15);
});
