import { describe, expect, it } from 'vitest';
import { brokersBelow, lowWatermarkOf } from '../../../../src/broker/replica/core/low-watermark.ts';
import { brokers, leader, report } from './fixture.ts';

/** Brokers 1 (the leader), 2 and 3, whose logs begin where `starts` says. */
function led(starts: readonly [second: number, third: number]) {
  const state = leader();
  for (const [index, logStartOffset] of starts.entries())
    state.observeFollower(index + 2, { ...report(index + 2, 20), logStartOffset }, 20, 0);
  return state;
}

describe('what all live replicas have deleted', () => {
  it('ends where the log begins that begins first', () => {
    expect(lowWatermarkOf(led([5, 7]), 6, brokers())).toBe(5);
    expect(lowWatermarkOf(led([7, 7]), 6, brokers())).toBe(6);
  });

  it('does not wait for a broker that is fenced or unknown', () => {
    expect(lowWatermarkOf(led([5, 7]), 6, brokers({ 2: { fenced: true } }))).toBe(6);
    expect(lowWatermarkOf(led([5, 7]), 6, brokers({ 2: undefined }))).toBe(6);
  });

  it('is held up by those, in order, whose logs begin below, the leader among them', () => {
    expect(brokersBelow(led([5, 4]), 5, brokers(), 6)).toEqual([1, 2, 3]);
    expect(brokersBelow(led([6, 5]), 6, brokers(), 6)).toEqual([3]);
    expect(brokersBelow(led([5, 5]), 6, brokers({ 3: { fenced: true } }), 6)).toEqual([2]);
  });
});
