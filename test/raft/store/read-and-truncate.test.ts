/** A truncation and a read that overlap: the read gives what one of the two orders would give, and never fails. */
import { beforeEach, expect, it } from 'vitest';
import type { KeyValueStores } from '../../../src/env/index.ts';
import type { QuorumStore } from '../../../src/raft/store/index.ts';
import { createTestEnvironment, settle } from '../../../src/testing/twins/index.ts';
import { append, elected, entries, format, MEMORY_ENTRIES, open } from './store-fixture.ts';

/** Scans or batches wait here while closed. */
class Gate {
  #open: (() => void) | undefined;
  #opened: Promise<void> = Promise.resolve();

  close(): void {
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open?.();
  }

  pass(): Promise<void> {
    return this.#opened;
  }
}

/** The first ten are on the disk alone. */
const END = 10 + MEMORY_ENTRIES;

let scans: Gate;
let batches: Gate;
let store: QuorumStore;
beforeEach(async () => {
  scans = new Gate();
  batches = new Gate();
  const world = createTestEnvironment({ seed: 1 });
  const stores: KeyValueStores = {
    open: async (directory) => {
      const inner = await world.stores.open(directory);
      return {
        get: (key) => inner.get(key),
        scan: async (range) => {
          await scans.pass();
          return inner.scan(range);
        },
        batch: async (operations, options) => {
          await batches.pass();
          await inner.batch(operations, options);
        },
        close: () => inner.close(),
      };
    },
  };
  const disk = { directory: '/data/metadata', files: world.files, stores };
  await format(disk);
  const first = await open(disk);
  await first.saveHardState(elected(2));
  await append(first, entries(0, END));
  await first.close();
  store = await open(disk);
});

const offsets = async (read: ReturnType<QuorumStore['read']>): Promise<number[]> =>
  (await read).map(({ offset }) => offset);

it('a truncation waits for a read that began before it', async () => {
  scans.close();
  const read = store.read(2, 10, 1e6);
  const truncated = append(store, entries(4, 1, 2), 4);
  await settle();
  expect(store.log.endOffset).toBe(END);
  scans.open();
  expect(await offsets(read)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  await truncated;
  expect(store.log.endOffset).toBe(5);
});

it('a read that begins during a truncation gives what is left', async () => {
  batches.close();
  const truncated = append(store, [], 4);
  await settle();
  scans.close();
  const [across, above, below] = [store.read(2, 10, 1e6), store.read(7, 10, 1e6), store.read(1, 3, 1e6)];
  await settle();
  batches.open();
  await settle();
  scans.open();
  await truncated;
  expect(await offsets(across)).toEqual([2, 3]);
  expect(await offsets(above)).toEqual([]);
  expect(await offsets(below)).toEqual([1, 2]);
});

it('the end of a log that was verified is not read again', async () => {
  scans.close();
  expect(await offsets(store.read(END - 2, END, 1e6))).toEqual([END - 2, END - 1]);
});
