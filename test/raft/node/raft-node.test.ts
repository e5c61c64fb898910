import { describe, expect, it } from 'vitest';
import { QuorumFixture, Recorder } from './quorum-fixture.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('a quorum of new directories', () => {
  it('establishes itself, agrees on the lowest voter’s cluster id and elects a leader in well under 200 ms', async () => {
    const q = new QuorumFixture();
    await q.startAll();
    const startMs = q.scheduler.nowMs;
    await q.leader();
    expect(q.scheduler.nowMs - startMs).toBeLessThan(200);
    for (const node of q.nodes.values()) expect(node.status().clusterId).toBe(QuorumFixture.id(101));
  });

  it('waits for the last voter, then needs it no more', async () => {
    const q = new QuorumFixture();
    for (const id of q.voterIds) await q.format(id);
    await q.start(1);
    await q.start(2);
    await q.scheduler.run(5000);
    expect(q.nodes.get(1)?.status()).toMatchObject({ role: 'bootstrapping', clusterId: '', voters: [] });
    await q.start(3);
    await q.leader();
    await q.stop(3);
    await q.leader();
  });

  it('is one node when one is configured, and leads at once', async () => {
    const q = new QuorumFixture(1);
    const [node] = await q.startAll();
    await q.leader();
    expect(node?.append(1, bytes('a'))).toEqual({ kind: 'appended', offset: 1 });
    await q.until(() => node?.status().highWatermark === 2, 'the commit');
  });
});

describe('a listener', () => {
  it('is handed every entry once, in order, wherever and whenever it subscribes', async () => {
    const q = new QuorumFixture();
    await q.startAll();
    const early = new Recorder();
    q.nodes.get(1)?.subscribe(early);
    const leader = await q.leader();
    const { epoch } = leader.status();
    for (const text of ['a', 'b', 'c']) leader.append(epoch, bytes(text));
    await q.until(() => [...q.nodes.values()].every((each) => each.status().highWatermark === 4), 'commits');
    const late = new Recorder();
    q.nodes.get(2)?.subscribe(late);
    expect(late.data).toEqual(['a', 'b', 'c']);
    expect(early.data).toEqual(late.data);
    expect(early.entries.map(({ offset }) => offset)).toEqual([0, 1, 2, 3]);
  });

  it('is told that its node leads only when it has everything below the epoch, and that it no longer does', async () => {
    const q = new QuorumFixture();
    await q.startAll();
    const recorders = new Map([...q.nodes.keys()].map((id) => [id, new Recorder()] as const));
    for (const [id, recorder] of recorders) q.nodes.get(id)?.subscribe(recorder);
    const leader = await q.leader();
    const { epoch, nodeId } = leader.status();
    const recorder = recorders.get(nodeId);
    await q.until(() => recorder?.told.includes(`leading ${epoch} at 1`) ?? false, 'leading');
    leader.resign(epoch);
    expect(recorder?.told.at(-2)).toBe(`not leading ${epoch}`);
    expect(recorder?.told.at(-1)).toBe(`leader -1 of ${epoch}`);
  });

  it('gets what is no longer in memory from the store after a restart', async () => {
    const q = new QuorumFixture();
    await q.startAll();
    const leader = await q.leader();
    const { epoch } = leader.status();
    for (let i = 0; i < 50; i++) leader.append(epoch, bytes(`entry ${i}`));
    await q.until(() => [...q.nodes.values()].every((node) => node.status().highWatermark === 51), 'commits');
    for (const id of q.voterIds) await q.stop(id);
    for (const id of q.voterIds) await q.start(id);
    const recorder = new Recorder();
    q.nodes.get(2)?.subscribe(recorder);
    await q.until(() => recorder.data.length === 50, 'all entries');
    expect(recorder.data[49]).toBe('entry 49');
  });
});

describe('a voter', () => {
  it('whose disk was wiped follows without a vote, for ever, and says so', async () => {
    const q = new QuorumFixture();
    await q.startAll();
    await q.leader();
    await q.stop(2);
    await q.format(2, [], 99);
    const node = await q.start(2);
    await q.until(() => node.status().highWatermark > 0, 'the wiped node catches up');
    expect(node.status().role).toBe('observer');
    expect(q.environment(2).logger.lines.some(({ message }) => message.includes('not a member'))).toBe(true);
    await q.stop(2);
    const again = await q.start(2);
    await q.until(() => again.status().highWatermark > 0, 'it still follows');
    expect(again.status().role).toBe('observer');
  });

  it('that closes gracefully as the leader hands over first', async () => {
    const q = new QuorumFixture();
    await q.startAll();
    const leader = await q.leader();
    const { nodeId, epoch } = leader.status();
    const startMs = q.scheduler.nowMs;
    await q.stop(nodeId, true);
    expect(q.scheduler.nowMs - startMs).toBeLessThan(100);
    const next = await q.leader();
    expect(next.status().epoch).toBe(epoch + 1);
  });

  it.each(['the log', 'the vote'])('that cannot sync %s ends its process', async (what) => {
    const q = new QuorumFixture();
    await q.startAll();
    const leader = await q.leader();
    const { nodeId, epoch } = leader.status();
    const { files, stores, exit } = q.environment(nodeId);
    if (what === 'the log') {
      stores.failNext({ operation: 'batch', reason: 'io-error' });
      leader.append(epoch, bytes('a'));
    } else {
      files.failNext({ operation: 'sync', reason: 'io-error' });
      leader.resign(epoch);
    }
    await q.until(() => exit.ends.length > 0, 'the end');
    expect(exit.ends[0]?.reason).toBe('sync-failed');
    await expect(
      leader.service.identify({ voter: { id: 1, directoryId: '' }, founders: [] }, {}),
    ).resolves.toBeDefined();
    expect(leader.append(epoch, bytes('b'))).toEqual({ kind: 'not-leader' });
  });
});

describe('an observer', () => {
  it('finds the quorum, follows it, and takes no part', async () => {
    const q = new QuorumFixture();
    await q.startAll();
    await q.format(7);
    const observer = await q.start(7, 'observer');
    const leader = await q.leader();
    leader.append(leader.status().epoch, bytes('a'));
    await q.until(() => observer.status().highWatermark === 2, 'the observer follows');
    expect(observer.status()).toMatchObject({ role: 'observer', clusterId: QuorumFixture.id(101) });
    expect(leader.describe().observers.map(({ replica }) => replica.id)).toEqual([7]);
  });

  it('knows that it has not caught up while what it was handed is but a part of the log', async () => {
    const q = new QuorumFixture();
    await q.startAll();
    const { epoch } = (await q.leader()).status();
    for (let i = 0; i < 50; i++) (await q.leader()).append(epoch, bytes(`entry ${i}`));
    await q.until(() => [...q.nodes.values()].every((node) => node.status().highWatermark === 51), 'commits');
    for (const id of q.voterIds) await q.stop(id);
    for (const id of q.voterIds) await q.start(id);
    const { highWatermark } = (await q.leader()).status();
    expect(highWatermark).toBeLessThanOrEqual(52);
    await q.format(7);
    const observer = await q.start(7, 'observer');
    const parts: { handed: number; here: number; quorum: number }[] = [];
    const recorder = new Recorder();
    observer.subscribe(recorder);
    await q.until(() => {
      const { highWatermark: here, quorumHighWatermark: quorum } = observer.status();
      const handed = recorder.entries.length;
      if (handed > 0 && parts.at(-1)?.handed !== handed) parts.push({ handed, here, quorum });
      return handed === 52;
    }, 'the observer catches up');
    expect(parts).toEqual([
      { handed: 51, here: 51, quorum: 52 },
      { handed: 52, here: 52, quorum: 52 },
    ]);
  });
});

describe('a quorum that lost its leader', () => {
  it('has another within the disconnect grace and a little more', async () => {
    const q = new QuorumFixture();
    await q.startAll();
    const { nodeId, epoch } = (await q.leader()).status();
    await q.scheduler.run(1000);
    await q.stop(nodeId);
    const startMs = q.scheduler.nowMs;
    expect((await q.leader()).status().epoch).toBeGreaterThan(epoch);
    expect(q.scheduler.nowMs - startMs).toBeLessThan(700);
  });
});
