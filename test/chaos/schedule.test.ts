import { expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/index.ts';
import { chooseSteps, drawDurationMs, drawStep, pick, STEP_NAMES, STEPS } from './schedule.ts';

const all = chooseSteps({ has: () => true });
const drawn = (seed: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => {
    const { step, overlaps, pauseMs, random } = drawStep(seed, index, all);
    return `${step} ${overlaps} ${pauseMs} ${random.float()}`;
  });

it('a seed draws the same steps, pauses and details every time; another seed others', () => {
  expect(drawn(7, 50)).toEqual(drawn(7, 50));
  expect(drawn(7, 50)).not.toEqual(drawn(8, 50));
});

it('what a step draws for itself changes nothing of the next', () => {
  const { random } = drawStep(7, 0, all);
  for (let times = 0; times < 10; times++) random.float();
  expect(drawStep(7, 1, all).step).toBe(drawn(7, 2)[1]?.split(' ')[0]);
});

it('every step comes up sooner or later, and none without a weight unless it is named', () => {
  const seen = new Set(Array.from({ length: 2000 }, (_, index) => drawStep(1, index, all).step));
  expect(seen).toEqual(new Set(STEP_NAMES.filter((name) => STEPS[name].weight > 0)));
  expect(chooseSteps({ only: ['flip-anywhere'], has: () => true })).toEqual(['flip-anywhere']);
});

it('what needs a shim is left out where there is none, also when it is named', () => {
  const steps = chooseSteps({ only: ['lose-unsynced', 'kill-leader'], has: (need) => need !== 'shim' });
  expect(steps).toEqual(['kill-leader']);
});

it('without any possible step nothing is drawn', () => {
  expect(() => drawStep(1, 0, [])).toThrow('no step is possible');
});

it('faults last from a tenth of a second to twenty', () => {
  const random = new SeededRandom(1);
  const times = Array.from({ length: 1000 }, () => drawDurationMs(random));
  expect(Math.min(...times)).toBeGreaterThanOrEqual(100);
  expect(Math.max(...times)).toBeLessThanOrEqual(20_000);
  expect(Math.max(...times)).toBeGreaterThan(15_000);
});

it('picks different ones, and all when asked for more', () => {
  expect(pick([1, 2, 3], 9, new SeededRandom(1)).sort()).toEqual([1, 2, 3]);
  expect(new Set(pick([1, 2, 3, 4], 2, new SeededRandom(2))).size).toBe(2);
});
