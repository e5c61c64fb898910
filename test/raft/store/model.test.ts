/**
 * The store against a model: a list of what each operation would leave. At a power failure at any moment the log must be
 * what some operation left, none older than the last that was confirmed, and never in doubt.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import type { KeyValueStores } from '../../../src/env/index.ts';
import type { QuorumStore } from '../../../src/raft/store/index.ts';
import { createTestEnvironment, Scheduler, type TestEnvironment } from '../../../src/testing/twins/index.ts';
import { append, contents, elected, entries, format, open } from './store-fixture.ts';

interface Model {
  epoch: number;
  log: string[];
  /** Logs that a crash may leave: the last confirmed one and each asked for since. */
  possible: string[][];
  /** Epochs that a crash may leave. */
  epochs: number[];
}

interface Step {
  readonly act: 'read' | 'append' | 'truncate' | 'elect' | 'wait' | 'crash' | 'kill' | 'close';
  readonly amount: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom(
    'append',
    'append',
    'append',
    'truncate',
    'elect',
    'wait',
    'read',
    'read',
    'wait',
    'crash',
    'kill',
    'close',
  ),
  amount: fc.nat(12),
});

it('a crash at any moment leaves a log that was asked for, not older than the last confirmed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(1_000_000),
      fc.array(step, { minLength: 5, maxLength: 60 }),
      async (seed, steps) => {
        await new Run(seed).play(steps);
      },
    ),
    { numRuns: 150, examples: [onceFailed(61222, 'elect', 'wait', 'kill', 'crash', 'append')] },
  );
});

/** What a killed process had written and not synced was believed by the next one, and then lost with the power. */
function onceFailed(seed: number, ...acts: readonly Step['act'][]): [number, Step[]] {
  return [seed, acts.map((act) => ({ act, amount: 3 }))];
}

class Run {
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #model: Model = { epoch: 1, log: [], possible: [[]], epochs: [1] };
  #world: TestEnvironment;
  #store!: QuorumStore;
  #reads: Promise<void>[] = [];

  constructor(seed: number) {
    this.#random = new SeededRandom(seed, 'model');
    this.#scheduler = new Scheduler({ random: new SeededRandom(seed, 'schedule') });
    const delays = new SeededRandom(seed, 'delays');
    const disk = { scheduler: this.#scheduler, delayMs: () => delays.float() * 3 };
    this.#world = createTestEnvironment({ seed, scheduler: this.#scheduler, disk });
  }

  get #disk() {
    return { directory: '/data/metadata', files: this.#world.files, stores: this.#world.stores };
  }

  async play(steps: readonly Step[]): Promise<void> {
    await this.#scheduler.finish(format(this.#disk));
    this.#store = await this.#scheduler.finish(open(this.#disk));
    await this.#scheduler.finish(this.#store.saveHardState(elected(1)));
    for (const { act, amount } of steps) {
      if (act === 'append') this.#append(amount);
      else if (act === 'truncate') this.#truncate(amount);
      else if (act === 'elect') this.#elect();
      else if (act === 'read') this.#read(amount);
      else if (act === 'wait') await this.#scheduler.run(amount);
      else await this.#restart(act);
    }
    await this.#restart('close');
  }

  #append(count: number): void {
    const { log, epoch } = this.#model;
    const list = entries(log.length, count, epoch);
    this.#become([...log, ...list.map(({ offset }) => `${epoch}:${offset}`)], append(this.#store, list));
  }

  #truncate(amount: number): void {
    const { log, epoch } = this.#model;
    const from = Math.max(0, log.length - amount);
    const list = entries(from, amount % 3, epoch);
    const next = [...log.slice(0, from), ...list.map(({ offset }) => `${epoch}:${offset}`)];
    this.#become(next, append(this.#store, list, from));
  }

  /** Never fails, whatever goes on meanwhile, and gives entries of one history without a gap. */
  #read(amount: number): void {
    const { endOffset } = this.#store.log;
    const from = Math.max(0, endOffset - amount);
    this.#reads.push(
      this.#store.read(from, endOffset, 1000).then((found) => {
        for (const [index, { offset, epoch, payload }] of found.entries()) {
          expect(offset).toBe(from + index);
          expect(Buffer.from(payload).toString()).toContain(`${epoch}:${offset}`);
        }
      }),
    );
  }

  #elect(): void {
    const epoch = ++this.#model.epoch;
    this.#model.epochs.push(epoch);
    this.#store.saveHardState(elected(epoch)).then(() => {
      this.#model.epochs = this.#model.epochs.filter((known) => known >= epoch);
    });
  }

  #become(log: string[], appended: Promise<void>): void {
    this.#model.log = log;
    this.#model.possible.push(log);
    appended.then(() => {
      this.#model.possible = this.#model.possible.slice(this.#model.possible.indexOf(log));
    });
  }

  async #restart(how: 'crash' | 'kill' | 'close'): Promise<void> {
    const reads = this.#reads.splice(0);
    if (how === 'close') {
      await this.#scheduler.finish(Promise.all(reads));
      await this.#scheduler.finish(this.#store.close());
      expect(this.#model.possible).toEqual([this.#model.log]);
    }
    this.#world = how === 'crash' ? this.#world.crash() : this.#world.kill();
    this.#store = await this.#scheduler.finish(open(this.#disk));
    const found = await this.#scheduler.finish(contents(this.#store));
    expect(this.#model.possible).toContainEqual(found);
    expect(this.#model.epochs).toContain(this.#store.hardState.epoch);
    expect(this.#store.epochs).toEqual(epochsOf(found));
    const { epoch } = this.#store.hardState;
    Object.assign(this.#model, { epoch, log: found, possible: [found], epochs: [epoch] });
    if (how === 'close' && this.#random.float() < 0.2)
      expect(this.#store.hardState.tailFloor).toBe(found.length);
  }
}

function epochsOf(log: readonly string[]): { epoch: number; startOffset: number }[] {
  const found: { epoch: number; startOffset: number }[] = [];
  for (const [startOffset, text] of log.entries()) {
    const epoch = Number(text.split(':')[0]);
    if (epoch !== found.at(-1)?.epoch) found.push({ epoch, startOffset });
  }
  return found;
}

it('an election saved while a truncation is under way does not raise the floor above it', async () => {
  const world = createTestEnvironment({ seed: 1 });
  const disk = { directory: '/data/metadata', files: world.files, stores: world.stores };
  await format(disk);
  const first = await open(disk);
  await first.saveHardState(elected(1));
  await append(first, entries(0, 10));
  await first.close();

  let batchApplied = (): void => {};
  const applied = new Promise<void>((resolve) => {
    batchApplied = resolve;
  });
  const deaf: KeyValueStores = {
    open: async (directory) => {
      const inner = await world.stores.open(directory);
      return {
        get: (key) => inner.get(key),
        scan: (range) => inner.scan(range),
        close: () => inner.close(),
        batch: async (operations, options) => {
          await inner.batch(operations, options);
          batchApplied();
          await new Promise(() => {});
        },
      };
    },
  };
  const store = await open({ ...disk, stores: deaf });
  expect(store.hardState.tailFloor).toBe(10);
  void append(store, [], 4);
  await applied;
  await store.saveHardState(elected(2));
  const { files, stores } = world.kill();
  const again = await open({ ...disk, files, stores });
  expect(again.log.endOffset).toBe(4);
});
