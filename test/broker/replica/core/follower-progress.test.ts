import { describe, expect, it } from 'vitest';
import { FollowerProgress } from '../../../../src/broker/replica/core/follower-progress.ts';

const report = (endOffset: number, flushedOffset: number, brokerEpoch = 7) => ({
  endOffset,
  flushedOffset,
  logStartOffset: 0,
  brokerEpoch,
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

  it('is never flushed beyond its end', () => {
    expect(observed(report(20, 25)).flushedOffset).toBe(20);
  });
});
