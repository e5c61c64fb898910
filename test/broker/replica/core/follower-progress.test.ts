import { describe, expect, it } from 'vitest';
import { FollowerProgress } from '../../../../src/broker/replica/core/follower-progress.ts';

const report = (endOffset: number, flushedOffset: number, brokerEpoch = 7) => ({
  endOffset,
  flushedOffset,
  logStartOffset: 0,
  brokerEpoch,
  isFetch: true,
});

function observed(...reports: ReturnType<typeof report>[]): FollowerProgress {
  const progress = new FollowerProgress(true, 0);
  for (const one of reports) progress.observe(one, 20, 1);
  return progress;
}

describe('the progress of a follower', () => {
  it('keeps an acknowledgement that overtook an older listing', () => {
    expect(observed(report(20, 20), report(20, 10)).flushedOffset).toBe(20);
  });

  it('falls with the end of the log', () => {
    expect(observed(report(20, 20), report(15, 15)).flushedOffset).toBe(15);
    expect(observed(report(20, 20), report(15, 12)).flushedOffset).toBe(12);
  });

  it('begins anew with another incarnation of the broker', () => {
    expect(observed(report(20, 20), report(20, 10, 8)).flushedOffset).toBe(10);
  });

  it('was caught up when it fetched last but one, if it always has what was there at a fetch a little after the next', () => {
    const progress = new FollowerProgress(true, 0);
    // The leader has ten more each time; what it got by a fetch the follower acknowledges just after it has fetched again.
    for (let round = 1; round <= 5; round++) {
      const [nowMs, end] = [1000 * round, 10 * round];
      progress.observe(report(end - 10, end - 20), end, nowMs);
      progress.observe({ ...report(end - 10, end - 10), isFetch: false }, end + 1, nowMs + 50);
    }
    expect(progress.lastCaughtUpMs).toBe(4000);
  });

  it('is never flushed beyond its end', () => {
    expect(observed(report(20, 25)).flushedOffset).toBe(20);
  });
});
