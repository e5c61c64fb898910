import { describe, expect, it } from 'vitest';
import { CoreFixture, key, logOf, T } from './fixture.ts';

/** The candidate of epoch 1, everybody asked. */
function candidate(voters: number): CoreFixture {
  return new CoreFixture({ voters }).wait(300).answerVotes(true);
}

/** Seeks votes for `rounds` epochs, in which 2 grants pre-votes only and 3 is dead; how long each round took. */
function vainRounds(f: CoreFixture, rounds: number): number[] {
  return Array.from({ length: rounds }, () => {
    f.failVotes([3]).answerVotes(false, [2]);
    const startMs = f.nowMs;
    while (f.core.role === 'candidate') f.wait(1);
    f.answerVotes(true, [2]);
    return f.nowMs - startMs;
  });
}

describe('an election', () => {
  it('begins with a pre-vote in the own epoch and raises the epoch only when a majority would vote', () => {
    const f = new CoreFixture().wait(300);
    expect(f.core.role).toBe('prospective');
    expect(f.sent('vote').map(({ request }) => request.preVote)).toEqual([true, true]);
    expect(f.core.epoch).toBe(0);
  });

  it('asks for votes only when the own vote is durable', () => {
    const f = new CoreFixture().wait(300);
    for (const { requestId } of f.sent('vote').slice(0, 1)) {
      const reply = { error: 'NONE', leaderId: -1, leaderEpoch: 0, voteGranted: true } as const;
      f.step({ kind: 'reply', requestId, answer: { kind: 'vote', reply } });
    }
    expect(f.core.role).toBe('candidate');
    expect(f.sent('vote')).toEqual([]);
    const [save] = f.effects.filter((effect) => effect.kind === 'save-hard-state');
    expect(save).toMatchObject({ state: { epoch: 1, votedFor: key(1) } });
    f.saveHardState();
    expect(f.sent('vote').map(({ request }) => request.preVote)).toEqual([false, false]);
  });

  it('is won by a majority of the voters, itself counted', () => {
    const f = new CoreFixture({ voters: 5 }).wait(300).answerVotes(true);
    f.answerVotes(true, [2]);
    expect(f.core.role).toBe('candidate');
    const g = new CoreFixture({ voters: 5 }).wait(300).answerVotes(true);
    g.answerVotes(true, [2, 4]);
    expect(g.core.role).toBe('leader');
  });

  it('is lost as soon as a majority has become impossible, and tried again after a backoff', () => {
    const f = new CoreFixture().wait(300).answerVotes(true).answerVotes(false);
    expect(f.core.role).toBe('candidate');
    f.wait(T.electionTimeoutMs / 10);
    expect(f.core.role).toBe('prospective');
    expect(f.core.epoch).toBe(1);
  });

  it.each([
    ['one of three refused', 3, [], [2], [3]],
    ['the votes were split in halves', 5, [2], [3, 4], [5]],
  ])(
    'is tried again after a backoff when %s and only the dead could decide',
    (_, voters, granting, refusing, dead) => {
      const answer = (f: CoreFixture) => f.answerVotes(true, granting).answerVotes(false, refusing);
      for (const f of [
        answer(candidate(voters)).failVotes(dead),
        answer(candidate(voters).failVotes(dead)),
      ]) {
        expect(f.core.role).toBe('candidate');
        f.wait(T.electionTimeoutMs / 10);
        expect(f.core.role).toBe('prospective');
        expect(f.core.epoch).toBe(1);
      }
    },
  );

  it('goes on for its whole time when nobody answers, or when others than the dead could decide', () => {
    const alone = candidate(3).failVotes([2, 3]);
    const undecided = candidate(5)
      .failVotes([3])
      .wait(T.retryBackoffMs)
      .answerVotes(false, [3])
      .failVotes([5]);
    for (const f of [alone, undecided]) {
      f.wait(T.electionTimeoutMs - T.retryBackoffMs - 1);
      expect(f.core.role).toBe('candidate');
    }
  });

  it('is won even when only the dead could decide, by one of them that comes back in time', () => {
    const f = candidate(3).answerVotes(false, [2]).failVotes([3]);
    f.wait(T.retryBackoffMs).answerVotes(true, [3]);
    expect(f.core.role).toBe('leader');
  });

  it('is tried again after ever longer backoffs while only the dead could decide', () => {
    const waitsMs = vainRounds(candidate(3), 60);
    expect(waitsMs[0]).toBeLessThanOrEqual(T.electionTimeoutMs / 10 + 1);
    expect(Math.max(...waitsMs)).toBeLessThanOrEqual(T.electionBackoffMaxMs + 1);
    expect(Math.max(...waitsMs)).toBeGreaterThan(T.electionBackoffMaxMs / 2);
  });

  it('lets others seek the next epoch while only the dead could decide', () => {
    const request = { preVote: true, candidateEpoch: 1, candidate: key(2) };
    const f = candidate(3).answerVotes(false, [2]);
    expect(f.vote(request)).toMatchObject({ voteGranted: false });
    expect(f.failVotes([3]).vote(request)).toMatchObject({ voteGranted: true });
  });

  it('asks a voter again whose call failed', () => {
    const f = new CoreFixture().wait(300);
    for (const { requestId } of f.sent('vote')) f.step({ kind: 'failed', requestId, disconnected: true });
    expect(f.sent('vote')).toEqual([]);
    f.wait(T.retryBackoffMs);
    expect(f.sent('vote').map(({ to }) => to)).toEqual([2, 3]);
  });

  it('asks a voter again that had not joined the quorum yet', () => {
    const f = new CoreFixture({ hard: { epoch: 3 } }).wait(300);
    const reply = {
      error: 'BROKER_NOT_AVAILABLE',
      leaderId: -1,
      leaderEpoch: 0,
      voteGranted: false,
    } as const;
    for (const { requestId } of f.sent('vote'))
      f.step({ kind: 'reply', requestId, answer: { kind: 'vote', reply } });
    f.wait(T.retryBackoffMs);
    expect(f.sent('vote').map(({ to }) => to)).toEqual([2, 3]);
  });

  it('learns nothing from a node of another cluster', () => {
    const f = new CoreFixture().wait(300);
    const reply = {
      error: 'INCONSISTENT_CLUSTER_ID',
      leaderId: 3,
      leaderEpoch: 70,
      voteGranted: true,
    } as const;
    for (const { requestId } of f.sent('vote'))
      f.step({ kind: 'reply', requestId, answer: { kind: 'vote', reply } });
    expect(f.core).toMatchObject({ role: 'prospective', epoch: 0, leaderId: -1 });
  });

  it('does not count an answer to an earlier question', () => {
    const f = new CoreFixture().wait(300);
    const stale = f.sent('vote');
    for (const { requestId } of stale) f.step({ kind: 'failed', requestId, disconnected: false });
    const reply = { error: 'NONE', leaderId: -1, leaderEpoch: 0, voteGranted: true } as const;
    for (const { requestId } of stale) f.step({ kind: 'reply', requestId, answer: { kind: 'vote', reply } });
    expect(f.core.role).toBe('prospective');
  });

  it('ends when an answer names a leader', () => {
    const f = new CoreFixture().wait(300);
    const [first] = f.sent('vote');
    const reply = { error: 'NONE', leaderId: 3, leaderEpoch: 4, voteGranted: false } as const;
    f.step({ kind: 'reply', requestId: first?.requestId ?? 0, answer: { kind: 'vote', reply } });
    expect(f.core).toMatchObject({ role: 'follower', epoch: 4, leaderId: 3 });
  });

  it('needs nobody when the node is the only voter', () => {
    const f = new CoreFixture({ voters: 1 });
    expect(f.core).toMatchObject({ role: 'leader', epoch: 1, highWatermark: 1 });
  });

  it('is won by a single voter only when its vote is durable: it could win the same epoch again', () => {
    const f = new CoreFixture({ voters: 1, save: false });
    f.step({ kind: 'tick' });
    expect(f.core).toMatchObject({ role: 'candidate', epoch: 1 });
    f.saveHardState();
    expect(f.core.role).toBe('leader');
  });

  it('is never sought by an observer', () => {
    const f = new CoreFixture({ self: key(1, 'wiped') }).wait(60_000);
    expect(f.core.role).toBe('observer');
    expect(f.sent('vote')).toEqual([]);
  });
});

describe('a pre-election', () => {
  it('is over when one voter refused and only the dead could decide', () => {
    const f = new CoreFixture().wait(300).answerVotes(false, [2]);
    expect(f.core.role).toBe('prospective');
    f.failVotes([3]);
    expect(f.core.role).toBe('unattached');
    expect(f.core.nextDeadlineMs).toBeLessThanOrEqual(f.nowMs + T.electionTimeoutMs / 10);
  });

  it('goes on for its whole time when nobody answers', () => {
    const f = new CoreFixture().wait(300).failVotes([2, 3]);
    f.wait(T.electionTimeoutMs - 301);
    expect(f.core.role).toBe('prospective');
  });
});

describe('a node that starts', () => {
  it('has resigned from the epoch it led: it may have lost what it appended', () => {
    const f = new CoreFixture({ hard: { epoch: 3, leaderId: 1, votedFor: key(1) }, log: logOf(3) });
    expect(f.core.role).toBe('resigned');
    const id = f.fetch(2, { currentLeaderEpoch: 3 });
    expect(f.answered(id)).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER', leaderId: -1 });
  });

  it('names itself as the leader no more, also while it seeks the next epoch in vain', () => {
    const f = new CoreFixture({ hard: { epoch: 3, leaderId: 1, votedFor: key(1) }, log: logOf(3) });
    const roles = new Set<string>();
    for (let round = 0; round < 40; round++) {
      f.wait(T.electionTimeoutMs / 10);
      roles.add(f.core.role);
      expect(f.core.leaderId).toBe(-1);
      const id = f.fetch(2, { currentLeaderEpoch: 3 });
      expect(f.answered(id)).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER', leaderId: -1, leaderEpoch: 3 });
    }
    expect(roles).toEqual(new Set(['resigned', 'prospective']));
  });

  it('never goes on as a candidate: it may have won', () => {
    const f = new CoreFixture({ hard: { epoch: 3, votedFor: key(1) } });
    expect(f.core.role).toBe('unattached');
  });

  it('follows the leader it knew', () => {
    const f = new CoreFixture({ hard: { epoch: 3, leaderId: 2 } });
    expect(f.core.role).toBe('follower');
    expect(f.sent('fetch').map(({ to }) => to)).toEqual([2]);
  });

  it('takes the epoch of its log when its state is behind, without a vote or a leader', () => {
    const f = new CoreFixture({ hard: { epoch: 1, leaderId: 2, votedFor: key(2) }, log: logOf(1, 4) });
    expect(f.core).toMatchObject({ role: 'unattached', epoch: 4, leaderId: -1 });
  });

  it('says nothing before what it read back is durable again', () => {
    const f = new CoreFixture({ hard: { epoch: 3, leaderId: 2 }, save: false });
    expect(f.sent('fetch')).toEqual([]);
    f.saveHardState();
    expect(f.sent('fetch')).toHaveLength(1);
  });

  it('seeks its first election within a fraction of the election timeout', () => {
    expect(new CoreFixture().core.nextDeadlineMs).toBeLessThanOrEqual(1000 + T.electionTimeoutMs / 20);
    const later = new CoreFixture({ hard: { epoch: 5 } });
    expect(later.core.nextDeadlineMs).toBeLessThanOrEqual(1000 + T.electionTimeoutMs / 5);
  });
});

describe('timers', () => {
  it('keep what remains when a vote request raises the epoch, so that noise postpones nothing', () => {
    const f = new CoreFixture({ hard: { epoch: 1 }, log: logOf(1) });
    const before = f.core.nextDeadlineMs;
    f.nowMs += 10;
    f.vote({ candidateEpoch: 9 });
    expect(f.core.nextDeadlineMs).toBe(before);
  });

  it('of a follower are restarted by a successful fetch and not by an error', () => {
    const f = new CoreFixture().follow(2, 1);
    f.nowMs += 500;
    const [fetch] = f.sent('fetch');
    f.step({ kind: 'failed', requestId: fetch?.requestId ?? 0, disconnected: false });
    f.wait(T.fetchTimeoutMs - 500 - T.retryBackoffMs);
    f.wait(T.retryBackoffMs);
    expect(f.core.role).toBe('prospective');
    const g = new CoreFixture().follow(2, 1);
    g.nowMs += 500;
    g.answerFetch({}).wait(T.fetchTimeoutMs - 100);
    expect(g.core.role).toBe('follower');
  });

  it('of a follower shrink to the grace when the connection to its leader breaks', () => {
    const f = new CoreFixture().follow(2, 1).answerFetch({});
    f.step({ kind: 'peer-disconnected', nodeId: 2 });
    f.wait(T.disconnectGraceMs - 1);
    expect(f.core.role).toBe('follower');
    f.wait(T.electionTimeoutMs / 5 + 1);
    expect(f.core.role).toBe('prospective');
  });

  it('of a follower do not run out while its own disk is what keeps it from fetching', () => {
    const f = new CoreFixture().follow(2, 1);
    f.answerFetch({ entries: [{ offset: 0, epoch: 1, kind: 'data', payload: new Uint8Array(1) }] });
    f.nowMs += 10 * T.fetchTimeoutMs;
    f.step({ kind: 'tick' });
    expect(f.core.role).toBe('follower');
  });
});
