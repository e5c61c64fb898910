import { describe, expect, it } from 'vitest';
import { CoreFixture, key, logOf, T } from './fixture.ts';

const granted = { error: 'NONE', voteGranted: true };
const refused = { error: 'NONE', voteGranted: false };

describe('a vote', () => {
  it('is given to a candidate of a higher epoch whose log is as long', () => {
    expect(new CoreFixture().vote({ candidateEpoch: 1 })).toMatchObject(granted);
  });

  it('leaves only when it is durable', () => {
    const f = new CoreFixture();
    const request = { clusterId: 'cluster', voter: key(1), candidate: key(2), candidateEpoch: 1 };
    const callId = f.ask({
      kind: 'vote',
      request: { ...request, lastEpoch: 0, lastOffset: 0, preVote: false },
    });
    expect(f.answered(callId)).toBeUndefined();
    f.saveHardState();
    expect(f.answered(callId)).toMatchObject(granted);
  });

  it('is given once in an epoch, and again to the same candidate', () => {
    const f = new CoreFixture();
    f.vote({ candidate: key(2) });
    expect(f.vote({ candidate: key(3) })).toMatchObject(refused);
    expect(f.vote({ candidate: key(2) })).toMatchObject(granted);
  });

  it('is given again to the same candidate by a node that has begun to look for another', () => {
    const f = new CoreFixture();
    f.vote({ candidate: key(2) });
    f.wait(2 * T.electionTimeoutMs);
    expect(f.core).toMatchObject({ role: 'prospective', epoch: 1 });
    expect(f.vote({ candidate: key(3) })).toMatchObject(refused);
    expect(f.vote({ candidate: key(2) })).toMatchObject(granted);
  });

  it('survives a restart', () => {
    const f = new CoreFixture({ hard: { epoch: 4, votedFor: key(2) } });
    expect(f.vote({ candidateEpoch: 4, candidate: key(3) })).toMatchObject(refused);
    expect(f.vote({ candidateEpoch: 4, candidate: key(2) })).toMatchObject(granted);
  });

  it('belongs to a disk: the same node with another directory does not get it', () => {
    const f = new CoreFixture();
    f.vote({ candidate: key(2) });
    expect(f.vote({ candidate: key(2, 'other') })).toMatchObject(refused);
  });

  it.each([
    ['shorter in the same epoch', 2, 2],
    ['longer, but of an earlier epoch', 1, 9],
  ])('is refused to a log that is %s', (_, lastEpoch, lastOffset) => {
    const f = new CoreFixture({ hard: { epoch: 2 }, log: logOf(1, 2, 2) });
    expect(f.vote({ candidateEpoch: 3, lastEpoch, lastOffset })).toMatchObject(refused);
  });

  it('is refused by whoever knows the leader of the epoch', () => {
    const f = new CoreFixture().follow(3, 2);
    expect(f.vote({ candidateEpoch: 2 })).toMatchObject(refused);
  });

  it('is refused in an older epoch, and the answer teaches the newer one', () => {
    const f = new CoreFixture({ hard: { epoch: 5 } });
    expect(f.vote({ candidateEpoch: 4 })).toMatchObject({ error: 'FENCED_LEADER_EPOCH', leaderEpoch: 5 });
  });

  it('raises the epoch even when it is refused', () => {
    const f = new CoreFixture({ hard: { epoch: 2 }, log: logOf(1, 2) });
    expect(f.vote({ candidateEpoch: 7, lastEpoch: 1, lastOffset: 1 })).toMatchObject(refused);
    expect(f.core.epoch).toBe(7);
  });

  it('is refused when it was meant for the disk this node had before', () => {
    const f = new CoreFixture();
    expect(f.vote({ voter: key(1, 'old') })).toMatchObject({
      error: 'INVALID_VOTER_KEY',
      voteGranted: false,
    });
  });

  it('is refused to another cluster without any effect', () => {
    const f = new CoreFixture();
    expect(f.vote({ clusterId: 'other' })).toMatchObject({ error: 'INCONSISTENT_CLUSTER_ID' });
    expect(f.core.epoch).toBe(0);
  });

  it('is refused to a candidate that claims an entry of the epoch it seeks', () => {
    expect(new CoreFixture().vote({ candidateEpoch: 3, lastEpoch: 3 })).toMatchObject({
      error: 'INVALID_REQUEST',
    });
  });

  it('is never given by an observer, whose disk may have promised otherwise in another life', () => {
    const f = new CoreFixture({ self: key(1, 'new') });
    expect(f.vote({ voter: key(1, 'new') })).toMatchObject(refused);
  });

  it('restarts the election timer, a refused one does not', () => {
    const f = new CoreFixture({ hard: { epoch: 1 }, log: logOf(1) });
    const before = f.core.nextDeadlineMs;
    f.vote({ candidateEpoch: 2, lastEpoch: 0, lastOffset: 0 });
    expect(f.core.nextDeadlineMs).toBe(before);
    f.vote({ candidateEpoch: 3, lastEpoch: 1, lastOffset: 1 });
    expect(f.core.nextDeadlineMs).toBeGreaterThanOrEqual(f.nowMs + T.electionTimeoutMs);
  });
});

describe('a pre-vote', () => {
  const preVote = true;

  it('is granted without any promise: nothing is saved and it may be granted to all', () => {
    const f = new CoreFixture();
    expect(f.vote({ preVote, candidateEpoch: 0, candidate: key(2) })).toMatchObject(granted);
    expect(f.vote({ preVote, candidateEpoch: 0, candidate: key(3) })).toMatchObject(granted);
    expect(f.core.epoch).toBe(0);
    expect(f.take('save-hard-state')).toEqual([]);
  });

  it('is granted whatever vote was given', () => {
    const f = new CoreFixture();
    f.vote({ candidateEpoch: 1, candidate: key(2) });
    expect(f.vote({ preVote, candidateEpoch: 1, candidate: key(3) })).toMatchObject(granted);
  });

  it('is refused to a log that is behind', () => {
    const f = new CoreFixture({ hard: { epoch: 1 }, log: logOf(1) });
    expect(f.vote({ preVote, candidateEpoch: 1 })).toMatchObject(refused);
  });

  it('is refused by a follower that has fetched from its leader', () => {
    const f = new CoreFixture().follow(3, 1);
    expect(f.vote({ preVote, candidateEpoch: 1 })).toMatchObject(granted);
    f.answerFetch({});
    expect(f.vote({ preVote, candidateEpoch: 1 })).toMatchObject(refused);
  });

  it('is granted again once the connection to the leader broke, until a fetch succeeds', () => {
    const f = new CoreFixture().follow(3, 1).answerFetch({});
    f.step({ kind: 'peer-disconnected', nodeId: 3 });
    expect(f.vote({ preVote, candidateEpoch: 1 })).toMatchObject(granted);
    f.answerFetch({});
    expect(f.vote({ preVote, candidateEpoch: 1 })).toMatchObject(refused);
  });

  it('is refused by a leader and granted by one that has resigned', () => {
    const f = new CoreFixture().lead();
    const { epoch, logEndOffset: lastOffset } = f.core;
    const request = { preVote, candidateEpoch: epoch, lastEpoch: epoch, lastOffset };
    expect(f.vote(request)).toMatchObject(refused);
    f.step({ kind: 'resign', epoch });
    expect(f.vote(request)).toMatchObject(granted);
  });

  it('never raises the epoch beyond the one the asker has', () => {
    const f = new CoreFixture();
    f.vote({ preVote, candidateEpoch: 6 });
    expect(f.core.epoch).toBe(6);
  });
});
