/** The twin and LevelDB are driven with the same operations: neither may be told from the other. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { KeyRange, KeyValueOperation, KeyValueStore } from '../../src/env/index.ts';
import { levelStores } from '../../src/raft/store/index.ts';
import { createTestEnvironment } from '../../src/testing/twins/index.ts';

const key = fc.uint8Array({ minLength: 1, maxLength: 3, max: 4 });
const operation: fc.Arbitrary<KeyValueOperation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('put' as const), key, value: fc.uint8Array({ maxLength: 40 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
);
const range: fc.Arbitrary<KeyRange> = fc.record({
  from: key,
  to: key,
  limit: fc.integer({ min: 1, max: 30 }),
  reverse: fc.boolean(),
});
type Act =
  | { kind: 'batch'; operations: KeyValueOperation[]; sync: boolean }
  | { kind: 'scan'; range: KeyRange }
  | { kind: 'get'; key: Uint8Array }
  | { kind: 'reopen' };
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    kind: fc.constant('batch' as const),
    operations: fc.array(operation, { maxLength: 8 }),
    sync: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('scan' as const), range }),
  fc.record({ kind: fc.constant('get' as const), key }),
  fc.constant({ kind: 'reopen' as const }),
);

const hex = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? 'none' : Buffer.from(bytes).toString('hex');

async function show(store: KeyValueStore, step: Exclude<Act, { kind: 'reopen' }>): Promise<string> {
  if (step.kind === 'get') return hex(await store.get(step.key));
  if (step.kind === 'batch') return String(await store.batch(step.operations, { sync: step.sync }));
  return (await store.scan(step.range)).map((found) => `${hex(found.key)}=${hex(found.value)}`).join();
}

it('any sequence of operations has the same answers from both', async () => {
  const root = await mkdtemp(join(tmpdir(), 'quorate-conformance-'));
  let run = 0;
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 25 }), async (steps) => {
        const directory = `${root}/${run++}`;
        const both = [levelStores(), createTestEnvironment({ seed: 1 }).stores];
        let [real, twin] = await Promise.all(both.map((stores) => stores.open(directory)));
        for (const step of [...steps, { kind: 'scan' as const, range: EVERYTHING }]) {
          if (step.kind !== 'reopen') expect(await show(twin!, step)).toBe(await show(real!, step));
          else {
            await Promise.all([real!.close(), twin!.close()]);
            [real, twin] = await Promise.all(both.map((stores) => stores.open(directory)));
          }
        }
        await Promise.all([real!.close(), twin!.close()]);
      }),
      { numRuns: 40 },
    );
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

const EVERYTHING: KeyRange = { from: Uint8Array.of(0), to: Uint8Array.of(255), limit: 1000 };
