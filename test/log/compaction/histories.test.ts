import fc from 'fast-check';
import { describe, it } from 'vitest';
import { History } from './history.ts';
import { step } from './history-steps.ts';

describe('a compacted log', () => {
  for (const tailCacheBytes of [0, 2000]) {
    it(`shows the last value of every key whatever happens, tail of ${tailCacheBytes} bytes`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
          const history = await History.open(tailCacheBytes);
          for (const one of steps) await history.play(one);
          await history.end();
        }),
        { numRuns: 500, seed: 20_260 },
      );
    }, 120_000);
  }
});
