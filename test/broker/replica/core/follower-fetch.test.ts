import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideAgreement,
  decideTruncation,
  type EpochEnd,
  followerFetchProblem,
  leaderEpochProblem,
} from '../../../../src/broker/replica/core/follower-fetch.ts';
import { assignment, brokers, epochOf, leader, report } from './fixture.ts';

/** A log as its epochs only: what both sides of the comparison know. */
class EpochLog {
  epochs: number[];
  readonly logStartOffset = 0;

  /** `epochs[i]` is the epoch of the record at offset i. */
  constructor(epochs: number[]) {
    this.epochs = epochs;
  }

  get logEndOffset(): number {
    return this.epochs.length;
  }

  endOffsetForEpoch(epoch: number): EpochEnd | undefined {
    const latest = this.epochs.at(-1);
    if (latest === undefined || epoch > latest) return undefined;
    const first = this.epochs[0] ?? 0;
    if (epoch < first) return { epoch, endOffset: 0 };
    const end = this.epochs.findLastIndex((e) => e <= epoch) + 1;
    return { epoch: this.epochs[end - 1] ?? first, endOffset: end };
  }
}

/** Fetches until the follower agrees; returns how many rounds it took. */
function reconcile(leaderLog: EpochLog, follower: EpochLog): number {
  for (let round = 0; ; round++) {
    const answer = decideAgreement(leaderLog, follower.logEndOffset, follower.epochs.at(-1) ?? -1);
    if (answer.kind === 'agrees') return round;
    expect(answer.kind).toBe('diverges');
    if (answer.kind !== 'diverges') return round;
    const mine = follower.endOffsetForEpoch(answer.end.epoch);
    const target = decideTruncation(answer.end, mine, follower.logEndOffset);
    expect(target).toBeLessThan(follower.logEndOffset);
    follower.epochs = follower.epochs.slice(0, target);
  }
}

describe('the epoch of a request', () => {
  it('is compared before leadership', () => {
    const state = leader();
    expect(leaderEpochProblem(state, 4)).toBe('FENCED_LEADER_EPOCH');
    expect(leaderEpochProblem(state, 6)).toBe('UNKNOWN_LEADER_EPOCH');
    expect(leaderEpochProblem(state, 5)).toBeUndefined();
    expect(leaderEpochProblem(state, -1)).toBeUndefined();
    state.makeFollower(assignment({ leader: 2, leaderEpoch: 6, partitionEpoch: 11 }));
    expect(leaderEpochProblem(state, 5)).toBe('FENCED_LEADER_EPOCH');
    expect(leaderEpochProblem(state, 6)).toBe('NOT_LEADER_OR_FOLLOWER');
  });
});

describe('a replica fetch', () => {
  const from = (brokerId: number, brokerEpoch = epochOf(brokerId)) => ({ brokerId, brokerEpoch });

  it('is refused from a broker that is no replica as far as known', () => {
    expect(followerFetchProblem(leader(), from(9), 5, brokers())).toBe('UNKNOWN_LEADER_EPOCH');
  });

  it('is refused from an incarnation older than the registered one', () => {
    expect(followerFetchProblem(leader(), from(2, 101), 5, brokers())).toBe('NOT_LEADER_OR_FOLLOWER');
    expect(followerFetchProblem(leader(), from(2), 5, brokers())).toBeUndefined();
  });

  it('is refused from an incarnation older than one that has fetched, though metadata lag', () => {
    const state = leader();
    state.observeFollower(2, { ...report(2, 5), brokerEpoch: 200 }, 5, 0);
    expect(followerFetchProblem(state, from(2, 102), 5, brokers())).toBe('NOT_LEADER_OR_FOLLOWER');
  });

  it('agrees, diverges or is out of range by the epoch of its last batch', () => {
    const log = new EpochLog([1, 1, 1, 3, 3]);
    expect(decideAgreement(log, 3, 1).kind).toBe('agrees');
    expect(decideAgreement(log, 4, 1)).toEqual({ kind: 'diverges', end: { epoch: 1, endOffset: 3 } });
    expect(decideAgreement(log, 3, 2)).toEqual({ kind: 'diverges', end: { epoch: 1, endOffset: 3 } });
    expect(decideAgreement(log, 5, 4).kind).toBe('out-of-range');
    expect(decideAgreement(log, 0, -1).kind).toBe('agrees');
    expect(decideAgreement(log, 6, -1).kind).toBe('out-of-range');
  });
});

describe('truncation', () => {
  it('cuts to the smaller end of a shared epoch', () => {
    expect(decideTruncation({ epoch: 3, endOffset: 7 }, { epoch: 3, endOffset: 9 }, 12)).toBe(7);
    expect(decideTruncation({ epoch: 3, endOffset: 9 }, { epoch: 3, endOffset: 7 }, 12)).toBe(7);
  });

  it('cuts to the end of its own smaller epoch when it lacks the one of the leader', () => {
    expect(decideTruncation({ epoch: 3, endOffset: 7 }, { epoch: 2, endOffset: 9 }, 12)).toBe(9);
  });

  it('cuts to the end named by the leader when it knows no epoch', () => {
    expect(decideTruncation({ epoch: 3, endOffset: 7 }, undefined, 12)).toBe(7);
    expect(decideTruncation({ epoch: 3, endOffset: 70 }, undefined, 12)).toBe(12);
  });

  it('resolves a divergence across several epochs that each side partly lacks', () => {
    const leaderLog = new EpochLog([1, 1, 2, 2, 5, 5]);
    const follower = new EpochLog([1, 1, 2, 3, 3, 4, 4, 4]);
    reconcile(leaderLog, follower);
    expect(follower.epochs).toEqual([1, 1, 2]);
  });

  it('always ends, with a prefix of the leader, and never cuts what both share', () => {
    // Histories that leader epochs can make: each epoch extends a prefix of an earlier log.
    const cuts = fc.array(fc.tuple(fc.nat(3), fc.nat(12), fc.nat(5)), { minLength: 2, maxLength: 9 });
    fc.assert(
      fc.property(cuts, (history) => {
        const logs: number[][] = [[]];
        history.forEach(([from, keep, grow], epoch) => {
          const base = logs[logs.length - 1 - Math.min(from, logs.length - 1)] ?? [];
          logs.push([...base.slice(0, keep), ...Array.from({ length: grow + 1 }, () => epoch)]);
        });
        const top = new EpochLog(logs.at(-1) ?? []);
        for (const other of logs.slice(0, -1)) {
          const follower = new EpochLog([...other]);
          let shared = 0;
          while (shared < other.length && other[shared] === top.epochs[shared]) shared++;
          reconcile(top, follower);
          expect(follower.epochs).toEqual(top.epochs.slice(0, shared));
        }
      }),
    );
  });
});
