import { describe, expect, it } from 'vitest';
import { decodeLeaderChange } from '../../../src/raft/core/index.ts';
import { ENTRY_BYTES_MAX, UNCOMMITTED_ENTRIES_MAX } from '../../../src/raft/core/limits.ts';
import { CoreFixture, entry, key, logOf, T } from './fixture.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('a leader', () => {
  it('opens its epoch with a leader change, which names the voters who granted', () => {
    const f = new CoreFixture().lead();
    const reply = f.answered(f.fetch(2, {}));
    const [first] = reply !== undefined && 'entries' in reply ? reply.entries : [];
    expect(first).toMatchObject({ offset: 0, epoch: 1, kind: 'control' });
    expect(first && decodeLeaderChange(first)).toMatchObject({ leaderId: 1, grantingVoters: [1, 2] });
  });

  it('tells every other voter that it leads, and again those that do not fetch', () => {
    const f = new CoreFixture().lead();
    expect(f.sent('begin-epoch').map(({ to }) => to)).toEqual([2, 3]);
    f.fetch(2, { fetchOffset: 1, lastFetchedEpoch: 1 });
    for (const { requestId } of f.sent('begin-epoch'))
      f.step({ kind: 'failed', requestId, disconnected: true });
  });

  it('commits what a majority holds durably', () => {
    const f = new CoreFixture().lead();
    f.fetch(2, { fetchOffset: 0 });
    expect(f.core.highWatermark).toBe(-1);
    f.fetch(2, { fetchOffset: 1, lastFetchedEpoch: 1 });
    expect(f.core.highWatermark).toBe(1);
  });

  it('counts itself by what it has synced, not by what it has appended', () => {
    const f = new CoreFixture().lead();
    f.core.append(1, bytes('a'), f.nowMs);
    const slow = new CoreFixture({ voters: 3 });
    slow.wait(300).answerVotes(true).answerVotes(true);
    expect(slow.core).toMatchObject({ role: 'leader', logEndOffset: 1, flushedOffset: 0 });
    slow.fetch(2, { fetchOffset: 1, lastFetchedEpoch: 1 });
    expect(slow.core.highWatermark).toBe(-1);
    slow.saveAll();
    expect(slow.core.highWatermark).toBe(1);
  });

  it('does not commit an entry of an earlier epoch by counting (Raft figure 8)', () => {
    const f = new CoreFixture({ hard: { epoch: 2 }, log: logOf(1, 2) }).lead();
    f.fetch(2, { fetchOffset: 2, lastFetchedEpoch: 2 });
    expect(f.core.highWatermark).toBe(-1);
    f.fetch(2, { fetchOffset: 3, lastFetchedEpoch: 3 });
    expect(f.core.highWatermark).toBe(3);
  });

  it('does not count who is not a voter, nor a voter id with another disk', () => {
    const f = new CoreFixture().lead();
    f.fetch(2, { fetchOffset: 1, lastFetchedEpoch: 1, replica: key(2, 'new') });
    f.fetch(9, { fetchOffset: 1, lastFetchedEpoch: 1 });
    expect(f.core.highWatermark).toBe(-1);
    expect(f.core.describe(f.nowMs).observers.map(({ replica }) => replica)).toEqual([key(2, 'new'), key(9)]);
  });

  it('answers a fetch at once with entries above its offset, committed or not', () => {
    const f = new CoreFixture().lead();
    expect(f.answered(f.fetch(3, {}))).toMatchObject({
      error: 'NONE',
      highWatermark: -1,
      entries: [{ offset: 0 }],
    });
  });

  it('parks a fetch at its end and completes it by the next append', () => {
    const f = new CoreFixture().lead();
    f.fetch(2, { fetchOffset: 1, lastFetchedEpoch: 1, highWatermark: 1 });
    const id = f.fetch(3, { fetchOffset: 1, lastFetchedEpoch: 1, highWatermark: 1 });
    expect(f.answered(id)).toBeUndefined();
    const outcome = f.core.append(1, bytes('a'), f.nowMs);
    const replies = outcome.kind === 'appended' ? outcome.effects.filter(({ kind }) => kind === 'reply') : [];
    expect(replies).toHaveLength(2);
  });

  it('answers a parked fetch when the high watermark rises above what the replica knows (KIP-1166)', () => {
    const f = new CoreFixture().lead();
    const id = f.fetch(3, { fetchOffset: 1, lastFetchedEpoch: 1, highWatermark: -1 });
    expect(f.answered(id)).toMatchObject({ highWatermark: 1, entries: [] });
  });

  it('answers an empty fetch when its time is up', () => {
    const f = new CoreFixture().lead();
    const id = f.fetch(2, { fetchOffset: 1, lastFetchedEpoch: 1, highWatermark: 1, maxWaitMs: 200 });
    f.wait(199);
    expect(f.answered(id)).toBeUndefined();
    f.wait(1);
    expect(f.answered(id)).toMatchObject({ error: 'NONE', entries: [] });
  });

  it('parks one fetch of a replica: the next replaces it', () => {
    const f = new CoreFixture().lead();
    const request = { fetchOffset: 1, lastFetchedEpoch: 1, highWatermark: 1 };
    const first = f.fetch(2, request);
    const second = f.fetch(2, request);
    expect(f.answered(first)).toMatchObject({ error: 'NONE', entries: [] });
    expect(f.answered(second)).toBeUndefined();
  });

  it('tells a replica with a diverging log where its epoch ended, and learns nothing from that fetch', () => {
    const f = new CoreFixture({ hard: { epoch: 3 }, log: logOf(1, 1, 3) }).lead();
    const id = f.fetch(2, { fetchOffset: 4, lastFetchedEpoch: 2 });
    expect(f.answered(id)).toMatchObject({ divergingEpoch: { epoch: 1, endOffset: 2 }, entries: [] });
    expect(f.core.describe(f.nowMs).voters[1]).toMatchObject({ logEndOffset: -1, lastFetchAgeMs: -1 });
  });

  it.each([
    ['an older epoch', { currentLeaderEpoch: 0 }, 'FENCED_LEADER_EPOCH'],
    ['an epoch to come', { currentLeaderEpoch: 9 }, 'UNKNOWN_LEADER_EPOCH'],
    ['a negative offset', { fetchOffset: -1 }, 'INVALID_REQUEST'],
    ['an epoch above the own one', { lastFetchedEpoch: 2 }, 'INVALID_REQUEST'],
    ['another cluster', { clusterId: 'other' }, 'INCONSISTENT_CLUSTER_ID'],
  ])('refuses a fetch with %s', (_, request, error) => {
    const f = new CoreFixture().lead();
    expect(f.answered(f.fetch(2, request))).toMatchObject({ error });
  });

  it('refuses parked fetches when its leadership ends', () => {
    const f = new CoreFixture().lead();
    const id = f.fetch(2, { fetchOffset: 1, lastFetchedEpoch: 1, highWatermark: 1 });
    f.step({ kind: 'resign', epoch: 1 });
    expect(f.answered(id)).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER', leaderId: -1 });
  });

  it('reads from the store what it does not keep in memory, and answers with it', () => {
    const f = new CoreFixture({ hard: { epoch: 1 }, log: logOf(1, 1) }).lead();
    const callId = f.fetch(2, {});
    expect(f.take('read')).toMatchObject([{ from: 0, to: 2 }]);
    f.step({ kind: 'read', callId: f.take('reply').length === 0 ? callId : -1, entries: [entry(0, 1)] });
    expect(f.answered(callId)).toMatchObject({ entries: [{ offset: 0 }] });
  });
});

describe('an append', () => {
  it('gives the offset at once and goes to the store together with what came while a write was under way', () => {
    const f = new CoreFixture().lead();
    const first = f.core.append(1, bytes('a'), f.nowMs);
    f.core.append(1, bytes('b'), f.nowMs);
    f.core.append(1, bytes('c'), f.nowMs);
    expect(first).toMatchObject({ kind: 'appended', offset: 1 });
    const [write] = first.kind === 'appended' ? first.effects.filter(({ kind }) => kind === 'write-log') : [];
    if (write?.kind !== 'write-log') throw new Error('no write');
    f.step({ kind: 'persisted', token: write.token });
    expect(f.take('write-log')).toMatchObject([{ entries: [{ offset: 2 }, { offset: 3 }], sync: true }]);
  });

  it('is refused to whoever does not lead the epoch', () => {
    const f = new CoreFixture();
    expect(f.core.append(0, bytes('a'), f.nowMs)).toEqual({ kind: 'not-leader' });
    f.lead();
    expect(f.core.append(0, bytes('a'), f.nowMs)).toEqual({ kind: 'not-leader' });
    expect(() => f.core.append(2, bytes('a'), f.nowMs)).toThrow('an epoch to come');
  });

  it('is refused when it is too large, or when too much is uncommitted', () => {
    const f = new CoreFixture().lead();
    expect(f.core.append(1, new Uint8Array(ENTRY_BYTES_MAX + 1), f.nowMs)).toEqual({ kind: 'too-large' });
    for (let i = 1; i < UNCOMMITTED_ENTRIES_MAX; i++) f.core.append(1, bytes('a'), f.nowMs);
    expect(f.core.append(1, bytes('a'), f.nowMs)).toEqual({ kind: 'back-pressure' });
  });
});

describe('check-quorum', () => {
  it('ends a leadership that no majority has fetched from for one and a half fetch timeouts', () => {
    const f = new CoreFixture().lead();
    const sinceMs = f.nowMs;
    f.wait(1.5 * T.fetchTimeoutMs - 1);
    expect(f.core.role).toBe('leader');
    f.wait(1);
    expect(f.nowMs - sinceMs).toBe(1.5 * T.fetchTimeoutMs);
    expect(f.core.role).toBe('resigned');
  });

  it('counts distinct voters, observers never', () => {
    const f = new CoreFixture({ voters: 5 }).lead();
    for (let i = 0; i < 4; i++) {
      f.wait(T.fetchTimeoutMs / 2 - 10);
      for (const id of [2, 2, 8, 9]) f.fetch(id, { fetchOffset: 1, lastFetchedEpoch: 1, highWatermark: 1 });
    }
    expect(f.core.role).toBe('resigned');
  });

  it('counts a contact once: an old one and a new one are no majority (simulation seed 1481)', () => {
    const f = new CoreFixture({ voters: 5 }).lead();
    const fetch = { fetchOffset: 1, lastFetchedEpoch: 1, highWatermark: 1 };
    f.fetch(2, fetch);
    f.wait(1.4 * T.fetchTimeoutMs);
    f.fetch(3, fetch);
    f.wait(0.2 * T.fetchTimeoutMs);
    expect(f.core.role).toBe('resigned');
  });

  it('never ends the leadership of a single voter', () => {
    expect(new CoreFixture({ voters: 1 }).wait(60_000).core.role).toBe('leader');
  });
});

describe('a hand-over', () => {
  it('names successors by how much they hold, best first', () => {
    const f = new CoreFixture().lead();
    f.fetch(3, { fetchOffset: 1, lastFetchedEpoch: 1 });
    f.step({ kind: 'shutdown' });
    const [end] = f.sent('end-epoch');
    expect(end?.request).toMatchObject({ leaderEpoch: 1, preferredCandidates: [key(3), key(2)] });
  });

  it('makes the first named voter seek election at once and the others later', () => {
    const end = (preferred: number[]): CoreFixture => {
      const f = new CoreFixture().follow(2, 1).answerFetch({});
      const preferredCandidates = preferred.map((id) => key(id));
      f.call({
        kind: 'end-epoch',
        request: { clusterId: 'cluster', leaderId: 2, leaderEpoch: 1, preferredCandidates },
      });
      return f;
    };
    expect(end([1, 3]).core.role).toBe('prospective');
    expect(end([3, 1]).core).toMatchObject({ role: 'follower' });
    expect(end([3, 1]).wait(T.electionBackoffMaxMs / 2).core.role).toBe('prospective');
    expect(end([3]).wait(T.electionBackoffMaxMs - 1).core.role).toBe('follower');
  });

  it('of an older epoch, or of who does not lead, changes nothing', () => {
    const f = new CoreFixture().follow(2, 3).answerFetch({});
    const request = { clusterId: 'cluster', leaderId: 2, leaderEpoch: 2, preferredCandidates: [key(1)] };
    expect(f.call({ kind: 'end-epoch', request })).toMatchObject({ error: 'FENCED_LEADER_EPOCH' });
    f.call({ kind: 'end-epoch', request: { ...request, leaderEpoch: 3, leaderId: 3 } });
    expect(f.core.role).toBe('follower');
  });

  it('of an epoch that is over already is ignored', () => {
    const f = new CoreFixture().lead();
    f.step({ kind: 'resign', epoch: 0 });
    expect(f.core.role).toBe('leader');
  });
});

describe('a follower', () => {
  it('fetches on only when what it appended is durable', () => {
    const f = new CoreFixture().follow(2, 1);
    f.answerFetch({ entries: [entry(0, 1)] });
    expect(f.sent('fetch')).toEqual([]);
    f.saveLog();
    expect(f.sent('fetch')[0]?.request).toMatchObject({ fetchOffset: 1, lastFetchedEpoch: 1 });
  });

  it('commits what the leader says is committed, as far as it has it', () => {
    const f = new CoreFixture().follow(2, 1);
    f.answerFetch({ entries: [entry(0, 1)], highWatermark: 5 });
    expect(f.core.highWatermark).toBe(1);
  });

  it('knows how much is committed in the quorum before it has fetched it', () => {
    const f = new CoreFixture().follow(2, 1);
    expect(f.core.quorumHighWatermark).toBe(-1);
    f.answerFetch({ entries: [entry(0, 1)], highWatermark: 5 });
    expect(f.core.quorumHighWatermark).toBe(5);
    f.saveLog().answerFetch({ entries: [entry(1, 1)], highWatermark: 2 });
    expect(f.core.quorumHighWatermark).toBe(5);
    expect(new CoreFixture().lead().core.quorumHighWatermark).toBe(-1);
    expect(new CoreFixture({ voters: 1 }).lead().core.quorumHighWatermark).toBe(1);
  });

  it('cuts its log where the leader says it diverges, and fetches again from there', () => {
    const f = new CoreFixture({ hard: { epoch: 2 }, log: logOf(1, 1, 2, 2) }).follow(2, 3);
    f.answerFetch({ divergingEpoch: { epoch: 1, endOffset: 1 } }).saveLog();
    expect(f.core.logEndOffset).toBe(1);
    expect(f.sent('fetch')[0]?.request).toMatchObject({ fetchOffset: 1, lastFetchedEpoch: 1 });
  });

  it('stops for ever rather than cut what is committed', () => {
    const f = new CoreFixture().follow(2, 1);
    f.answerFetch({ entries: [entry(0, 1), entry(1, 1)], highWatermark: 2 }).saveLog();
    expect(() => f.answerFetch({ divergingEpoch: { epoch: 1, endOffset: 1 } })).toThrow('never truncated');
  });

  it('drops a reply it does not wait for', () => {
    const f = new CoreFixture().follow(2, 1);
    const reply = {
      error: 'NONE',
      leaderId: 2,
      leaderEpoch: 1,
      highWatermark: -1,
      logStartOffset: 0,
    } as const;
    const answer = { kind: 'fetch', reply: { ...reply, entries: [entry(0, 1)] } } as const;
    f.step({ kind: 'reply', requestId: 999, answer });
    expect(f.core.logEndOffset).toBe(0);
  });

  it('looks for a successor soon when its leader says it leads no longer', () => {
    const f = new CoreFixture().follow(2, 1).answerFetch({});
    const [fetch] = f.sent('fetch');
    const common = { leaderId: -1, leaderEpoch: 1, highWatermark: -1, logStartOffset: 0, entries: [] };
    const answer = { kind: 'fetch', reply: { error: 'NOT_LEADER_OR_FOLLOWER', ...common } } as const;
    f.step({ kind: 'reply', requestId: fetch?.requestId ?? 0, answer });
    f.wait(T.electionTimeoutMs / 5 + 1);
    expect(f.core.role).toBe('prospective');
  });

  it('crashes when it hears of a second leader of its epoch', () => {
    const f = new CoreFixture().follow(2, 1);
    const entries = { highWatermark: -1, logStartOffset: 0, entries: [] };
    const [fetch] = f.sent('fetch');
    const answer = {
      kind: 'fetch',
      reply: { error: 'NONE', leaderId: 3, leaderEpoch: 1, ...entries },
    } as const;
    expect(() => f.step({ kind: 'reply', requestId: fetch?.requestId ?? 0, answer })).toThrow(
      'only the leader',
    );
  });
});

describe('an observer', () => {
  it('asks any voter until one names the leader, then goes there', () => {
    const f = new CoreFixture({ self: key(9) });
    const [first] = f.sent('fetch');
    const common = { highWatermark: -1, logStartOffset: 0, entries: [] };
    const reply = { error: 'FENCED_LEADER_EPOCH', leaderId: 3, leaderEpoch: 4, ...common } as const;
    f.step({
      kind: 'reply',
      requestId: first?.requestId ?? 0,
      answer: { kind: 'fetch', reply },
    }).saveHardState();
    expect(f.sent('fetch').map(({ to }) => to)).toEqual([3]);
  });
});
