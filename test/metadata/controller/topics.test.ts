import { describe, expect, it } from 'vitest';
import { decideCreateTopics, decideDeleteTopics } from '../../../src/metadata/controller/index.ts';
import type { CreatableTopic } from '../../../src/rpc/api/index.ts';
import { CONFIG, ControllerFixture, id, topicRequest } from './fixture.ts';

describe('creating topics', () => {
  it('makes a topic whose partitions all lead and are in sync', () => {
    const f = new ControllerFixture().start(1, 2, 3);
    const [topic] = f.create(
      topicRequest('lines', { partitions: 6, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } }),
    );
    expect(topic).toMatchObject({ name: 'lines', partitions: 6, replicationFactor: 3, error: 'NONE' });
    expect(f.image.topics.find('lines')?.id).toBe(topic?.topicId);
    expect(f.image.configs.topicConfig('lines')).toEqual(new Map([['min.insync.replicas', '2']]));
    for (const partition of f.image.topics.find('lines')?.partitions ?? []) {
      expect(partition).toMatchObject({
        isr: partition.replicas,
        leader: partition.replicas[0],
        leaderEpoch: 0,
        partitionEpoch: 0,
        leaderRecoveryState: 'recovered',
      });
      expect(partition.directories).toEqual(partition.replicas.map((broker) => id(broker, 2)));
    }
  });

  it('takes the defaults of the controller where nothing is said', () => {
    const f = new ControllerFixture().start(1, 2, 3);
    f.config = { ...CONFIG, numPartitions: 4, defaultReplicationFactor: 2 };
    expect(f.create(topicRequest('lines'))[0]).toMatchObject({ partitions: 4, replicationFactor: 2 });
  });

  it('places replicas on fenced brokers too, but neither in sync nor leading', () => {
    const f = new ControllerFixture().start(1, 2);
    f.fence(1);
    f.create(topicRequest('lines', { partitions: 3, replicationFactor: 2 }));
    for (const { replicas, isr, leader } of f.image.topics.find('lines')?.partitions ?? [])
      expect({ replicas, isr, leader }).toEqual({ replicas: [2, 1], isr: [2], leader: 2 });
  });

  it('places nothing on brokers that are shutting down', () => {
    const f = new ControllerFixture().start(1, 2);
    f.create(topicRequest('old', { assignments: [[1]] }));
    f.heartbeat(1, { wantShutdown: true });
    const topic = topicRequest('lines', { partitions: 1, replicationFactor: 2 });
    expect(f.create(topic)[0]).toMatchObject({ error: 'INVALID_REPLICATION_FACTOR' });
  });

  it('takes an assignment as it is, its first active replica leading', () => {
    const f = new ControllerFixture().start(1, 2, 3);
    f.fence(3);
    f.create(
      topicRequest('lines', {
        assignments: [
          [3, 2],
          [1, 3],
        ],
      }),
    );
    expect(f.partition('lines', 0)).toMatchObject({ replicas: [3, 2], isr: [2], leader: 2 });
    expect(f.partition('lines', 1)).toMatchObject({ replicas: [1, 3], isr: [1], leader: 1 });
  });

  it('writes nothing when it only validates, and says what it would do', () => {
    const f = new ControllerFixture().start(1);
    const topics = f.run((image, context) =>
      decideCreateTopics(
        image,
        { topics: [topicRequest('lines', { partitions: 2 })], validateOnly: true, timeoutMs: 1 },
        context,
      ),
    ).topics;
    expect(topics[0]).toMatchObject({ error: 'NONE', partitions: 2 });
    expect(f.records).toEqual([]);
  });

  it('of a request passes or fails each topic alone', () => {
    const f = new ControllerFixture().start(1);
    const names = ['good', '../x', 'fine'].map((name) => topicRequest(name));
    expect(f.create(...names).map(({ error }) => error)).toEqual(['NONE', 'INVALID_TOPIC_EXCEPTION', 'NONE']);
    expect([...f.image.topics.byName.keys()].sort()).toEqual(['fine', 'good']);
  });

  it('refuses all topics of a name that the request holds twice', () => {
    const f = new ControllerFixture().start(1);
    const errors = f
      .create(topicRequest('a'), topicRequest('b'), topicRequest('a'))
      .map(({ error }) => error);
    expect(errors).toEqual(['INVALID_REQUEST', 'NONE', 'INVALID_REQUEST']);
  });

  it('refuses names that collide, also within one request', () => {
    const f = new ControllerFixture().start(1);
    f.create(topicRequest('a.b'));
    const [collides, exists] = f.create(topicRequest('a_b'), topicRequest('a.b'));
    expect(collides).toMatchObject({ error: 'INVALID_TOPIC_EXCEPTION' });
    expect(collides?.errorMessage).toContain('collides with "a.b"');
    expect(exists).toMatchObject({ error: 'TOPIC_ALREADY_EXISTS' });
    const errors = f.create(topicRequest('x.y'), topicRequest('x_y')).map(({ error }) => error);
    expect(errors).toEqual(['NONE', 'INVALID_TOPIC_EXCEPTION']);
  });

  it.each<[Partial<CreatableTopic>, string, RegExp]>([
    [{ name: 'lines' }, 'TOPIC_ALREADY_EXISTS', /"lines" already exists/],
    [{ name: '' }, 'INVALID_TOPIC_EXCEPTION', /empty/],
    [{ name: '..' }, 'INVALID_TOPIC_EXCEPTION', /cannot be/],
    [{ name: 'x'.repeat(250) }, 'INVALID_TOPIC_EXCEPTION', /250 characters; at most 249/],
    [{ configs: { 'min.insync.replica': '1' } }, 'INVALID_CONFIG', /did you mean "min.insync.replicas"\?/],
    [{ configs: { toString: '1' } }, 'INVALID_CONFIG', /unknown topic configuration key "toString"/],
    [{ configs: { 'min.insync.replicas': '0' } }, 'INVALID_CONFIG', /from 1 to/],
    [{ configs: { 'cleanup.policy': '' } }, 'INVALID_CONFIG', /at least one of delete, compact/],
    [{ replicationFactor: 0 }, 'INVALID_REPLICATION_FACTOR', /at least 1, not 0/],
    [{ replicationFactor: -2 }, 'INVALID_REPLICATION_FACTOR', /not -2/],
    [{ replicationFactor: 4 }, 'INVALID_REPLICATION_FACTOR', /4 is larger than .* 3 \(2 alive\)/],
    [{ partitions: 0 }, 'INVALID_PARTITIONS', /at least 1, not 0/],
    [{ partitions: -5 }, 'INVALID_PARTITIONS', /not -5/],
    [{ partitions: 2 ** 31 - 1 }, 'POLICY_VIOLATION', /2147483647 partitions at once; at most 10000/],
    [{ assignments: [[1]], partitions: 1 }, 'INVALID_REQUEST', /neither partitions/],
    [{ assignments: [[1]], replicationFactor: 1 }, 'INVALID_REQUEST', /neither partitions/],
    [{ assignments: [[]] }, 'INVALID_REPLICA_ASSIGNMENT', /partition 0 has no replica/],
    [{ assignments: [[1, 1]] }, 'INVALID_REPLICA_ASSIGNMENT', /names a broker twice: 1, 1/],
    [
      { assignments: [[1, 2], [1]] },
      'INVALID_REPLICA_ASSIGNMENT',
      /partition 1 has 1 replicas, partition 0 has 2/,
    ],
    [{ assignments: [[1, 9]] }, 'INVALID_REPLICA_ASSIGNMENT', /broker 9, which is not registered/],
    [{ assignments: [[3]] }, 'INVALID_REPLICA_ASSIGNMENT', /none of the brokers of partition 0 is alive: 3/],
  ])('refuses %j with %s', (changes, error, message) => {
    const f = new ControllerFixture().start(1, 2, 3);
    f.create(topicRequest('lines'));
    f.fence(3);
    const [topic] = f.create(topicRequest(changes.name ?? 'other', changes));
    expect(topic?.error).toBe(error);
    expect(topic?.errorMessage).toMatch(message);
    expect(f.records).toEqual([]);
  });

  it('refuses when no broker is alive', () => {
    const f = new ControllerFixture().start(1);
    f.fence(1);
    expect(f.create(topicRequest('lines'))[0]?.errorMessage).toMatch(
      /none of the 1 registered brokers is alive/,
    );
  });

  it('refuses a request with more records than one operation may have', () => {
    const f = new ControllerFixture().start(1);
    const topics = [1, 2].map((n) => topicRequest(`t${n}`, { partitions: 5000 }));
    const request = { topics, validateOnly: false, timeoutMs: 1 };
    expect(f.refusal((image, context) => decideCreateTopics(image, request, context))).toBe(
      'POLICY_VIOLATION',
    );
  });
});

describe('deleting topics', () => {
  const remove = (f: ControllerFixture, ...topics: { name?: string; topicId?: string }[]) =>
    f.run((image, context) => decideDeleteTopics(image, { topics, timeoutMs: 1 }, context)).topics;

  it('by name or by id takes partitions and configuration with them', () => {
    const f = new ControllerFixture().start(1);
    const configs = { 'retention.ms': '1' };
    const [, second] = f.create(topicRequest('a', { configs }), topicRequest('b', { configs }));
    expect(remove(f, { name: 'a' }, { topicId: second?.topicId ?? '' })).toMatchObject([
      { name: 'a', error: 'NONE' },
      { name: 'b', topicId: second?.topicId, error: 'NONE' },
    ]);
    expect(f.image.topics.byName.size).toBe(0);
    expect(f.image.configs.topicConfig('a').size).toBe(0);
  });

  it('lets the name be used again, with another id', () => {
    const f = new ControllerFixture().start(1);
    const [first] = f.create(topicRequest('a'));
    remove(f, { name: 'a' });
    const [second] = f.create(topicRequest('a'));
    expect(second?.error).toBe('NONE');
    expect(second?.topicId).not.toBe(first?.topicId);
  });

  it('fails for what is unknown, ambiguous or named twice, each alone', () => {
    const f = new ControllerFixture().start(1);
    const [topic] = f.create(topicRequest('a'));
    const topicId = topic?.topicId ?? '';
    const outcomes = remove(
      f,
      { name: 'x' },
      { topicId: id(99) },
      { name: 'a', topicId },
      {},
      { name: 'a' },
      { topicId },
    );
    expect(outcomes.map(({ error }) => error)).toEqual([
      'UNKNOWN_TOPIC_OR_PARTITION',
      'UNKNOWN_TOPIC_ID',
      'INVALID_REQUEST',
      'INVALID_REQUEST',
      'NONE',
      'INVALID_REQUEST',
    ]);
    expect(f.records).toHaveLength(1);
  });

  it('is refused altogether when switched off', () => {
    const f = new ControllerFixture().start(1);
    f.create(topicRequest('a'));
    f.config = { ...CONFIG, deleteTopicEnable: false };
    expect(() => remove(f, { name: 'a' })).toThrow(/delete.topic.enable is false/);
  });
});
