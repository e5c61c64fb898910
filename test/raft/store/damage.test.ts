/**
 * What measured damage does to LevelDB (it opens, and says nothing), done here to the twin and to LevelDB's own files:
 * the quorum store must answer with quarantine, never with a shorter or holed log.
 */
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomUuid, SeededRandom } from '../../../src/base/index.ts';
import { nodeFiles } from '../../../src/env/node/index.ts';
import { formatQuorumStore, levelStores, openQuorumStore } from '../../../src/raft/store/index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../../src/testing/twins/index.ts';
import {
  append,
  CLUSTER,
  contents,
  type Disk,
  elected,
  entries,
  format,
  MEMORY_ENTRIES,
  open,
  quarantineReason,
} from './store-fixture.ts';

const ENTRIES = 100;

/** A closed store of 100 entries, each appended by its own. */
async function fill(disk: Disk, payloadBytes = 8): Promise<void> {
  await format(disk);
  const store = await open(disk);
  await store.saveHardState(elected(1, 2));
  for (let offset = 0; offset < ENTRIES; offset++) await append(store, entries(offset, 1, 1, payloadBytes));
  await store.close();
}

describe('on the twin', () => {
  let world: TestEnvironment;
  let disk: Disk;
  const log = '/data/metadata/log';
  beforeEach(async () => {
    world = createTestEnvironment({ seed: 1 });
    disk = { directory: '/data/metadata', files: world.files, stores: world.stores };
    await fill(disk);
  });

  it('entries missing from the middle are quarantined', async () => {
    world.stores.loseMiddle(log, 51, 61);
    expect(await quarantineReason(disk)).toBe('the log has a hole: entry 50 is missing, 60 is there');
  });

  it('a silently cut tail is quarantined, down to a single confirmed entry', async () => {
    world.stores.loseTail(log, 1);
    expect(await quarantineReason(disk)).toContain('1 confirmed entries are lost');
  });

  it('a log that opens as new is quarantined', async () => {
    world.stores.loseLog(log);
    expect(await quarantineReason(disk)).toContain('lost its beginning');
  });

  it('a removed log directory is quarantined', async () => {
    await world.files.removeDirectory(log);
    expect(await quarantineReason(disk)).toContain('is missing');
  });

  it('every flipped bit of an entry and of a marker is quarantined', async () => {
    const store = await world.stores.open(log);
    const all = await store.scan({ from: Buffer.from('a'), to: Buffer.from('z'), limit: 1000 });
    await store.close();
    const victims = all.filter(({ key }, index) => index === 40 || key.byteLength === 1);
    expect(victims).toHaveLength(3);
    for (const { key, value } of victims)
      for (let bit = 0; bit < value.byteLength * 8; bit++) {
        const damaged = Buffer.from(value);
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        world.stores.damage(log, [{ kind: 'put', key, value: damaged }]);
        expect(await quarantineReason(disk)).toMatch(/checksum|version/);
        world.stores.damage(log, [{ kind: 'put', key, value }]);
      }
    await (await open(disk)).close();
  });

  it('an intact entry from another place or another history is quarantined', async () => {
    const store = await world.stores.open(log);
    const [fifth, sixth] = await store.scan({ from: key(5), to: key(7), limit: 2 });
    await store.close();
    world.stores.damage(log, [{ kind: 'put', key: fifth!.key, value: sixth!.value }]);
    expect(await quarantineReason(disk)).toBe('under offset 5 of the log lies entry 6');

    const other = createTestEnvironment({ seed: 2 });
    const otherDisk = { ...disk, files: other.files, stores: other.stores };
    await format(otherDisk);
    const otherStore = await open(otherDisk);
    await otherStore.saveHardState(elected(1));
    await append(otherStore, [...entries(0, 5), { ...entries(5, 1)[0]!, kind: 'control' }, ...entries(6, 1)]);
    await otherStore.close();
    const raw = await other.stores.open(log);
    const foreign = await raw.get(sixth!.key);
    world.stores.damage(log, [
      { kind: 'put', key: fifth!.key, value: fifth!.value },
      { kind: 'put', key: sixth!.key, value: foreign! },
    ]);
    expect(await quarantineReason(disk)).toBe('entry 6 of the log does not continue the one before it');
  });

  it('an entry beyond the tail marker is quarantined', async () => {
    const store = await world.stores.open(log);
    const [last] = await store.scan({ from: key(0), to: key(ENTRIES), limit: 1, reverse: true });
    await store.close();
    world.stores.damage(log, [{ kind: 'put', key: key(ENTRIES), value: last!.value }]);
    expect(await quarantineReason(disk)).toContain(`lies entry ${ENTRIES - 1}`);
  });

  it('a lost hard state is quarantined, and so is an older one put back', async () => {
    const state = '/data/metadata/quorum-state';
    const older = await readAll(world, state);
    const store = await open(disk);
    await store.saveHardState(elected(7));
    await append(store, entries(ENTRIES, 1, 7));
    await append(store, [], ENTRIES);
    await store.close();
    world.files.damage(state, () => older);
    expect(await quarantineReason(disk)).toContain('only the older');
    await world.files.remove(state);
    expect(await quarantineReason(disk)).toContain('what this node voted for is lost');
  });

  it('the log of another directory is quarantined', async () => {
    const other = createTestEnvironment({ seed: 2 });
    await formatQuorumStore({
      directory: '/data/metadata',
      clusterId: CLUSTER,
      directoryId: randomUuid(new SeededRandom(99)),
      nodeId: 1,
      voters: [],
      files: other.files,
      stores: other.stores,
    });
    expect(await quarantineReason({ ...disk, stores: other.stores })).toContain('belongs to cluster');
  });

  it('a quarantined store says what to do and stays quarantined', async () => {
    world.stores.loseTail(log, 10);
    for (let i = 0; i < 2; i++) {
      const opening = await openQuorumStore(disk);
      expect(opening).toMatchObject({
        kind: 'quarantined',
        wayOut: expect.stringContaining('Move the directory'),
      });
    }
  });

  it('the first failed sync ends the use of the store; the entry may be there afterwards', async () => {
    const store = await open(disk);
    world.stores.failNext({ operation: 'batch', reason: 'io-error' });
    const waiting = append(store, entries(ENTRIES, 1));
    const behind = append(store, entries(ENTRIES + 1, 1));
    await expect(waiting).rejects.toMatchObject({ reason: 'io-error' });
    await expect(behind).rejects.toMatchObject({ reason: 'io-error' });
    await expect(append(store, entries(ENTRIES + 2, 1))).rejects.toMatchObject({ reason: 'io-error' });
    await expect(store.read(0, 1, 1)).rejects.toMatchObject({ reason: 'io-error' });
    await expect(store.saveHardState(elected(9))).rejects.toMatchObject({ reason: 'io-error' });
    const { files, stores } = world.kill();
    const again = await open({ ...disk, files, stores });
    expect(again.log.endOffset).toBe(ENTRIES + 1);
  });

  it('a failed sync of the hard state ends the use of the store', async () => {
    const store = await open(disk);
    world.files.failNext({ operation: 'sync', path: 'quorum-state', reason: 'io-error' });
    await expect(store.saveHardState(elected(2))).rejects.toMatchObject({ reason: 'io-error' });
    await expect(append(store, entries(ENTRIES, 1))).rejects.toMatchObject({ reason: 'io-error' });
  });

  it('the names of an opened log are durable before it is believed', async () => {
    const { files, stores } = world.kill();
    files.failNext({ operation: 'sync-directory', path: 'log', reason: 'io-error' });
    await expect(open({ ...disk, files, stores })).rejects.toMatchObject({ reason: 'io-error' });
    const store = await open({ ...disk, files, stores });
    expect(store.log.endOffset).toBe(ENTRIES);
    await store.close();
  });

  it('a read that fails or finds damage is an error, never the end of the log', async () => {
    const grown = await open(disk);
    await append(grown, entries(grown.log.endOffset, MEMORY_ENTRIES));
    await grown.close();
    const store = await open(disk);
    world.stores.failNext({ operation: 'scan', reason: 'io-error' });
    await expect(store.read(0, 10, 1e6)).rejects.toMatchObject({ reason: 'io-error' });
    await store.close();
    let verified = false;
    const sick = {
      ...disk,
      stores: {
        open: async (directory: string) => {
          const inner = await world.stores.open(directory);
          return {
            ...bound(inner),
            scan: async (range: Parameters<typeof inner.scan>[0]) => {
              const found = await inner.scan(range);
              return verified ? found.filter((_, index) => index !== 3) : found;
            },
          };
        },
      },
    };
    const holed = await open(sick);
    verified = true;
    await expect(holed.read(0, 10, 1e6)).rejects.toThrow('expected entry 3, found entry 4');
    await expect(holed.read(0, 4, 1e6)).rejects.toThrow('expected entry 3, found nothing');
  });
});

describe('on the files of LevelDB', () => {
  let root: string;
  let disk: Disk;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'quorate-damage-'));
    disk = { directory: `${root}/metadata`, files: nodeFiles(), stores: levelStores() };
    await fill(disk, 400);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  /** LevelDB's write-ahead log: after one opening, the file with all 100 batches in it. */
  const findLog = async (): Promise<string> => {
    const names = (await readdir(join(root, 'metadata/log'))).filter((name) => /^\d+\.log$/.test(name));
    return join(root, 'metadata/log', names.sort().at(-1)!);
  };

  it('a flipped bit in the middle of its log is quarantined', async () => {
    const path = await findLog();
    const bytes = await readFile(path);
    expect(bytes.byteLength).toBeGreaterThan(40_000);
    bytes[bytes.byteLength >> 1]! ^= 1;
    await writeFile(path, bytes);
    expect(await quarantineReason(disk)).toMatch(/hole|tail marker|confirmed entries/);
  });

  it('its log cut by 37 bytes and by 20,000 bytes is quarantined', async () => {
    const path = await findLog();
    const { length } = await readFile(path);
    await truncate(path, length - 37);
    expect(await quarantineReason(disk)).toContain('1 confirmed entries are lost');
    await rm(root, { recursive: true });
    await fill(disk, 400);
    await truncate(await findLog(), length - 20_000);
    expect(await quarantineReason(disk)).toContain('confirmed entries are lost');
  });

  it('its log deleted, its CURRENT deleted, its manifest damaged: each is quarantined', async () => {
    await rm(await findLog());
    expect(await quarantineReason(disk)).toMatch(/lost its beginning|confirmed entries are lost/);
    await rm(root, { recursive: true });
    await fill(disk, 400);
    await rm(join(root, 'metadata/log/CURRENT'));
    expect(await quarantineReason(disk)).toContain('lost its beginning');
    await rm(root, { recursive: true });
    await fill(disk, 400);
    await writeFile(join(root, 'metadata/log/CURRENT'), 'MANIFEST-999999\n');
    expect(await quarantineReason(disk)).toContain('sound LevelDB');
  });

  it('a copy of its directory from the past is quarantined', async () => {
    const path = await findLog();
    const past = await readFile(path);
    const store = await open(disk);
    await append(store, entries(ENTRIES, 5, 1, 400));
    await store.close();
    for (const name of await readdir(join(root, 'metadata/log')))
      if (/^\d+\.(log|ldb)$/.test(name)) await rm(join(root, 'metadata/log', name));
    await writeFile(path, past);
    expect(await quarantineReason(disk)).toMatch(
      /confirmed entries are lost|lost its beginning|sound LevelDB/,
    );
  });

  it('untouched, it opens with everything', async () => {
    const store = await open(disk);
    expect(await contents(store)).toHaveLength(ENTRIES);
    await store.close();
  });
});

function key(offset: number): Uint8Array {
  const bytes = Buffer.alloc(9);
  bytes[0] = 0x65;
  bytes.writeBigUInt64BE(BigInt(offset), 1);
  return bytes;
}

async function readAll(world: TestEnvironment, path: string): Promise<Uint8Array> {
  const handle = await world.files.open(path, 'read');
  const bytes = new Uint8Array(await handle.sizeBytes());
  await handle.read(bytes, 0);
  return bytes;
}

function bound<T extends { get: unknown; batch: unknown; close: unknown }>(store: T) {
  const { get, batch, close } = store as unknown as Record<string, (...args: unknown[]) => unknown>;
  return { get: get!.bind(store), batch: batch!.bind(store), close: close!.bind(store) } as unknown as T;
}
