import { describe, expect, it } from 'vitest';
import { QuorumLaws, QuorumLife } from '../../../src/testing/sim/cluster/watch/quorum-laws.ts';

const sight = { nodeId: 101, epoch: 3, highWatermark: 10 };
const vote = (id: number) => ({ id, directoryId: 'd' });

describe('the watch of the quorum', () => {
  it('sees a second leader of an epoch', () => {
    const laws = new QuorumLaws();
    expect(laws.lead(3, 101)).toBe(true);
    expect(laws.lead(3, 101)).toBe(false);
    expect(laws.lead(4, 102)).toBe(true);
    expect(() => laws.lead(3, 102)).toThrow('a quorum epoch has one leader');
  });

  it('sees an epoch that falls within a life', () => {
    const laws = new QuorumLaws();
    const life = new QuorumLife();
    laws.see(life, sight);
    laws.see(new QuorumLife(), { ...sight, epoch: 2, highWatermark: -1 });
    expect(() => laws.see(life, { ...sight, epoch: 2 })).toThrow('a quorum epoch does not fall');
  });

  it('sees a high watermark that falls within a life', () => {
    const laws = new QuorumLaws();
    const life = new QuorumLife();
    laws.see(life, sight);
    expect(() => laws.see(life, { ...sight, epoch: 4, highWatermark: 9 })).toThrow(
      'the high watermark of the quorum does not fall',
    );
  });

  it('sees a disk that votes twice in an epoch, or forgets that it did', () => {
    for (const second of [{ epoch: 5, votedFor: vote(102) }, { epoch: 5 }]) {
      const laws = new QuorumLaws();
      laws.saved('d1', { epoch: 5 });
      laws.saved('d1', { epoch: 5, votedFor: vote(101) });
      laws.saved('d2', { epoch: 5, votedFor: vote(102) });
      expect(() => laws.saved('d1', second)).toThrow('a disk votes once in an epoch');
    }
  });

  it('sees a disk whose epoch falls', () => {
    const laws = new QuorumLaws();
    laws.saved('d1', { epoch: 5 });
    expect(() => laws.saved('d1', { epoch: 4 })).toThrow('the epoch on a disk does not fall');
  });
});
