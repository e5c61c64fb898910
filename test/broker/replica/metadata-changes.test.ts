import { describe, expect, it } from 'vitest';
import { deltaFromEmpty, type MetadataRecord } from '../../../src/metadata/index.ts';
import { DIRECTORY, TestCluster, TOPIC, TOPIC_ID } from './cluster.ts';

const change = (fields: Partial<Extract<MetadataRecord, { kind: 'partition-change' }>>): MetadataRecord => ({
  kind: 'partition-change',
  partitionId: 0,
  topicId: TOPIC_ID,
  ...fields,
});

describe('what metadata say', () => {
  it('makes logs for new replicas and removes those of deleted topics', async () => {
    const cluster = await TestCluster.start();
    for (const { logs } of cluster.brokers) expect(logs.find(TOPIC, 0)?.topicId).toBe(TOPIC_ID);
    cluster.commit({ kind: 'remove-topic', topicId: TOPIC_ID });
    await cluster.settled();
    for (const { logs, manager } of cluster.brokers) {
      expect(logs.find(TOPIC, 0)).toBeUndefined();
      expect(manager.partitionCount).toBe(0);
    }
  });

  it('may delete a topic and make one of the same name at once, with nothing of the old one left', async () => {
    const cluster = await TestCluster.start();
    await cluster.finish(cluster.get(1).produce(['old']));
    const topicId = 'bmV3LW5ldy1uZXctbmV3LQ';
    const pending = cluster.get(1).produce(['never'], { timeoutMs: 60_000 });
    cluster.commit({ kind: 'remove-topic', topicId: TOPIC_ID });
    expect((await cluster.finish(pending)).error).toBe('REQUEST_TIMED_OUT');
    expect(cluster.scheduler.nowMs).toBeLessThan(5000);
    const replicas = [1, 2, 3];
    cluster.commit(
      { kind: 'topic', name: TOPIC, topicId },
      {
        kind: 'partition',
        partitionId: 0,
        topicId,
        replicas,
        isr: replicas,
        addingReplicas: [],
        removingReplicas: [],
        leader: 1,
        leaderRecoveryState: 'recovered',
        leaderEpoch: 0,
        partitionEpoch: 0,
        directories: replicas.map(() => DIRECTORY),
      },
    );
    await cluster.settled();
    expect(cluster.get(1).replica().topicId).toBe(topicId);
    await cluster.finish(cluster.get(1).produce(['new']));
    for (const broker of cluster.brokers) expect(await broker.contents()).toEqual(['new']);
  });

  it('sets aside, and never deletes, logs of topics that the metadata do not know at the start', async () => {
    const cluster = await TestCluster.start();
    await cluster.finish(cluster.get(1).produce(['a']));
    cluster.get(3).kill();
    cluster.commit({ kind: 'remove-topic', topicId: TOPIC_ID });
    await cluster.finish(cluster.get(3).start());
    await cluster.settled();
    expect(cluster.get(3).logs.find(TOPIC, 0)).toBeUndefined();
    const paths = cluster.get(3).environment.files.paths();
    expect(paths.some((path) => path.includes(`${TOPIC}-0/`))).toBe(false);
    const aside = paths.filter((path) => /orders-0\.[\w-]+-stray\/0+\.log$/.test(path));
    expect(aside).toHaveLength(1);
    cluster.createTopic([[3]]);
    await cluster.settled();
    await cluster.finish(cluster.get(3).produce(['new']));
    expect(await cluster.get(3).contents()).toEqual(['new']);
  });

  it('have no effect before they show this incarnation of the broker', async () => {
    const cluster = await TestCluster.start({ brokers: 1 });
    const one = cluster.get(1);
    const before = cluster.image;
    one.kill('process');
    one.held = true;
    await cluster.finish(one.start({ quiet: true }));
    // They name it leader of the epoch that its predecessor led.
    expect(before.topics.find(TOPIC)?.partitions[0]?.leader).toBe(1);
    one.manager.publish(deltaFromEmpty(before), before);
    await cluster.settled();
    expect(one.manager.partitionCount).toBe(0);
    one.tell();
    await cluster.settled();
    expect(one.replica().state).toMatchObject({ isLeader: true, leaderEpoch: 2 });
  });

  it('removes a replica that moves to another broker, and lets the others forget it', async () => {
    const cluster = await TestCluster.start({ brokers: 3, assignments: [[1, 2]] });
    await cluster.finish(cluster.get(1).produce(['a']));
    const directories = [1, 3].map(() => DIRECTORY);
    cluster.commit(change({ replicas: [1, 3], isr: [1], leader: 1, directories }));
    await cluster.settled();
    expect(cluster.get(2).logs.find(TOPIC, 0)).toBeUndefined();
    expect(await cluster.until(() => cluster.registration().isr.length === 2)).toBe(true);
    expect(await cluster.get(3).contents()).toEqual(['a']);
    expect([...cluster.get(1).replica().state.followers.keys()]).toEqual([3]);
  });

  it('steps a leader down also when nobody follows it', async () => {
    const cluster = await TestCluster.start();
    cluster.commit(change({ leader: -1 }));
    const reply = await cluster.finish(cluster.get(1).produce(['a']));
    expect(reply).toMatchObject({
      error: 'NOT_LEADER_OR_FOLLOWER',
      errorMessage: 'orders-0 is led by nobody now',
    });
  });

  it('tries again to make a log that the disk had no room for', async () => {
    const cluster = new TestCluster({ brokers: 1 });
    await cluster.finish(cluster.get(1).start());
    cluster.get(1).environment.files.failNext({
      operation: 'make-directory',
      path: TOPIC,
      reason: 'disk-full',
    });
    cluster.createTopic([[1]]);
    await cluster.settled();
    expect(cluster.get(1).manager.partitionCount).toBe(0);
    expect(await cluster.until(() => cluster.get(1).manager.partitionCount === 1)).toBe(true);
    expect((await cluster.finish(cluster.get(1).produce(['a']))).error).toBe('NONE');
  });
});

describe('a disk that fails', () => {
  it('tells those who wait, refuses the rest and then ends the broker; nothing is acknowledged that was not synced', async () => {
    const cluster = await TestCluster.start({ brokers: 1 });
    await cluster.finish(cluster.get(1).produce(['a']));
    const { environment } = cluster.get(1);
    environment.files.failNext({ operation: 'sync', path: '.log', reason: 'io-error' });
    expect((await cluster.finish(cluster.get(1).produce(['b']))).error).toBe('KAFKA_STORAGE_ERROR');
    expect((await cluster.finish(cluster.get(1).produce(['c']))).error).toBe('KAFKA_STORAGE_ERROR');
    await cluster.run(1_000);
    expect(environment.exit.ends).toHaveLength(1);
  });

  it('says of a full one what a person must do, without a path', async () => {
    const cluster = await TestCluster.start({ brokers: 1 });
    cluster
      .get(1)
      .environment.files.failNext({ operation: 'write', path: '.log', reason: 'disk-full', times: 2 });
    const text = /^the disk of the broker is full: [^/]* until it has room and the broker is restarted$/;
    for (const value of ['waits', 'comes later'])
      expect(await cluster.finish(cluster.get(1).produce([value]))).toMatchObject({
        error: 'KAFKA_STORAGE_ERROR',
        errorMessage: expect.stringMatching(text),
      });
  });
});

describe('the end of a broker', () => {
  it('answers whoever waits', async () => {
    const cluster = await TestCluster.start();
    for (const id of [2, 3]) cluster.network.cut(`broker-${id}`, 'broker-1');
    const produce = cluster.get(1).produce(['a'], { timeoutMs: 60_000 });
    const fetch = cluster.get(1).manager.fetch({
      maxWaitMs: 60_000,
      minBytes: 1,
      maxBytes: 1000,
      isolation: 'read_committed',
      partitions: [{ topic: TOPIC, partition: 0, fetchOffset: 0, currentLeaderEpoch: -1, maxBytes: 1000 }],
      signal: new AbortController().signal,
    });
    await cluster.run(10);
    await cluster.finish(cluster.get(1).manager.close());
    // What was appended may still be committed: no promise that it was not.
    expect((await cluster.finish(produce)).error).toBe('REQUEST_TIMED_OUT');
    await cluster.finish(fetch);
    expect(cluster.scheduler.nowMs).toBeLessThan(5000);
  });
});
