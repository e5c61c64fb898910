import { describe, expect, it } from 'vitest';
import {
  type Belief,
  judgeProgress,
  type LeaderSight,
  ProgressLife,
} from '../../../src/testing/sim/cluster/watch/progress-laws.ts';

const disk = (end: number, epoch?: number) => ({ end, epochAt: () => epoch });

function sight(flushed: number, leaderEpoch = 1, more: Partial<Belief> = {}): LeaderSight {
  return {
    log: { logStartOffset: 0, epochAt: () => leaderEpoch },
    state: {
      nodeId: 1,
      isLeader: true,
      leaderEpoch,
      policy: { minIsr: 2, writeCaching: false, lagMaxMs: 1 },
      followers: new Map([[2, { flushedOffset: flushed, endOffset: 9, brokerEpoch: 1, ...more }]]),
    },
  };
}

describe('the watch of what a leader believes', () => {
  it('sees that a follower has less on its disk', () => {
    const life = new ProgressLife();
    judgeProgress(life, 't-0', sight(5), () => disk(5));
    expect(() => judgeProgress(life, 't-0', sight(6), () => disk(5))).toThrow(
      'a follower has what its leader believes',
    );
  });

  it('does not look below the log start: an empty follower begins there, and then a batch earlier', () => {
    const { state, log } = sight(5);
    const from = (logStartOffset: number): LeaderSight => ({ state, log: { ...log, logStartOffset } });
    expect(() => judgeProgress(new ProgressLife(), 't-0', from(5), () => disk(0))).not.toThrow();
    expect(() => judgeProgress(new ProgressLife(), 't-0', from(4), () => disk(0))).toThrow(
      'a follower has what its leader believes',
    );
  });

  it('looks at a belief once in an epoch: a disk may be replaced', () => {
    const life = new ProgressLife();
    judgeProgress(life, 't-0', sight(5), () => disk(5));
    expect(() => judgeProgress(life, 't-0', sight(5), () => disk(0))).not.toThrow();
    expect(() => judgeProgress(life, 't-0', sight(5, 2), () => disk(0))).toThrow(
      'a follower has what its leader believes',
    );
  });

  it('sees that it is not of the leader what a follower has', () => {
    judgeProgress(new ProgressLife(), 't-0', sight(5, 2), () => disk(5, 2));
    expect(() => judgeProgress(new ProgressLife(), 't-0', sight(5, 2), () => disk(5, 1))).toThrow(
      'a follower has the beginning of its leader',
    );
  });

  it('sees that something flushed is forgotten, of a follower that goes on', () => {
    const judgeBoth = (before: LeaderSight, now: LeaderSight) => (): void => {
      const life = new ProgressLife();
      for (const one of [before, now]) judgeProgress(life, 't-0', one, () => undefined);
    };
    const law = 'a leader forgets nothing that a follower has flushed';
    expect(judgeBoth(sight(5), sight(4))).toThrow(law);
    expect(judgeBoth(sight(5), sight(4, 1, { endOffset: 10 }))).toThrow(law);
    expect(judgeBoth(sight(5), sight(4, 1, { endOffset: 8 }))).not.toThrow();
    expect(judgeBoth(sight(5), sight(4, 1, { brokerEpoch: 2 }))).not.toThrow();
    expect(judgeBoth(sight(5), sight(4, 2))).not.toThrow();
  });

  it('sees it of one that was started again, and told the same', () => {
    const life = new ProgressLife();
    const look = (flushed: number, brokerEpoch: number): void =>
      judgeProgress(life, 't-0', sight(flushed, 1, { brokerEpoch }), () => undefined);
    look(5, 1);
    look(5, 2);
    expect(() => look(4, 2)).toThrow('a leader forgets nothing that a follower has flushed');
  });

  it('claims nothing of a broker that is down', () => {
    expect(() => judgeProgress(new ProgressLife(), 't-0', sight(5), () => undefined)).not.toThrow();
  });
});
