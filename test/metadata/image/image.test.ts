import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom, shuffle } from '../../../src/base/index.ts';
import {
  decodeRecords,
  deltaFromEmpty,
  deltaOf,
  EMPTY_IMAGE,
  effectiveTopicConfig,
  encodeRecords,
  imageDigest,
  imageToRecords,
  type MetadataImage,
  type MetadataRecord,
  ReplayError,
  replay,
} from '../../../src/metadata/index.ts';
import { history } from '../arbitraries.ts';

const ID = 'AAAAAAAAAAAAAAAAAAAAAQ';
const ID2 = 'AAAAAAAAAAAAAAAAAAAAAg';
const replayAll = (records: readonly MetadataRecord[], image: MetadataImage = EMPTY_IMAGE) =>
  records.reduce(replay, image);

function partition(
  partitionId: number,
  replicas = [1, 2, 3],
  topicId = ID,
): MetadataRecord & { kind: 'partition' } {
  return {
    kind: 'partition',
    partitionId,
    topicId,
    replicas,
    isr: replicas,
    removingReplicas: [],
    addingReplicas: [],
    leader: replicas[0] ?? -1,
    leaderRecoveryState: 'recovered',
    leaderEpoch: 0,
    partitionEpoch: 0,
    directories: replicas.map(() => ID),
  };
}

const topic = (name: string, topicId = ID): MetadataRecord => ({ kind: 'topic', name, topicId });
const lines = replayAll([topic('lines'), partition(0)]);

describe('an image', () => {
  it('is the same however its records are batched and encoded', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.integer({ min: 1, max: 20 })), (seed, sizes) => {
        const records = history(seed, 60);
        const whole = replayAll(records);
        let image = EMPTY_IMAGE;
        for (let at = 0, i = 0; at < records.length; i++) {
          const size = sizes[i] ?? 1;
          image = replayAll(decodeRecords(encodeRecords(records.slice(at, at + size))), image);
          at += size;
        }
        expect(imageDigest(image)).toBe(imageDigest(whole));
        expect(imageToRecords(image)).toEqual(imageToRecords(whole));
      }),
      { numRuns: 100 },
    );
  });

  it('is equal to what its own records make of the empty one', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const image = replayAll(history(seed, 80));
        const again = replayAll(imageToRecords(image));
        expect(imageToRecords(again)).toEqual(imageToRecords(image));
        expect(imageDigest(again)).toBe(imageDigest(image));
        for (const [id, name] of again.topics.byId) expect(again.topics.find(name)?.id).toBe(id);
        expect(again.topics.byCollisionKey.equals(image.topics.byCollisionKey)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('is not changed by replaying onto it', () => {
    const before = imageDigest(lines);
    replay(lines, { kind: 'remove-topic', topicId: ID });
    expect(imageDigest(lines)).toBe(before);
  });
});

describe('the digest', () => {
  it('does not depend on the order in which things came', () => {
    const records: MetadataRecord[] = Array.from({ length: 50 }, (_, i) => ({
      kind: 'config',
      resourceType: 'topic',
      resourceName: `t${i % 7}`,
      name: `k${i}`,
      value: 'v',
    }));
    const mixed = shuffle([...records], new SeededRandom(1));
    expect(imageDigest(replayAll(mixed))).toBe(imageDigest(replayAll(records)));
  });

  it('differs when anything differs', () => {
    const digests = new Set([imageDigest(EMPTY_IMAGE)]);
    let image = EMPTY_IMAGE;
    for (const record of history(3, 200)) {
      const next = replay(image, record);
      const same = JSON.stringify(imageToRecords(next)) === JSON.stringify(imageToRecords(image));
      expect(imageDigest(next) === imageDigest(image)).toBe(same);
      image = next;
      digests.add(imageDigest(image));
    }
    expect(digests.size).toBeGreaterThan(100);
  });
});

describe('replaying', () => {
  it('a partition change raises the partition epoch always, the leader epoch only with a leader', () => {
    const change = { kind: 'partition-change', partitionId: 0, topicId: ID } as const;
    const find = (image: MetadataImage) => image.topics.find('lines')?.partitions[0];
    expect(find(replay(lines, { ...change, isr: [1] }))).toMatchObject({
      leader: 1,
      isr: [1],
      leaderEpoch: 0,
      partitionEpoch: 1,
    });
    expect(find(replay(lines, { ...change, leader: 1 }))).toMatchObject({
      leaderEpoch: 1,
      partitionEpoch: 1,
    });
    expect(find(replay(lines, { ...change, leader: -1 }))).toMatchObject({ leader: -1, leaderEpoch: 1 });
  });

  it('the removal of a topic removes its configuration, not that of others', () => {
    const config = { kind: 'config', resourceType: 'topic', name: 'retention.ms', value: '1' } as const;
    const image = replayAll(
      [
        { ...config, resourceName: 'lines' },
        { ...config, resourceName: 'other' },
        { kind: 'remove-topic', topicId: ID },
      ],
      lines,
    );
    expect(image.topics.find('lines')).toBeUndefined();
    expect(image.configs.topicConfig('lines').size).toBe(0);
    expect(image.configs.topicConfig('other').get('retention.ms')).toBe('1');
  });

  const broker = {
    kind: 'register-broker',
    brokerId: 1,
    incarnationId: ID,
    brokerEpoch: 5,
    listeners: [],
    features: [],
    fenced: true,
    inControlledShutdown: false,
    logDirs: [ID],
  } as const;
  const change = { kind: 'partition-change', partitionId: 0, topicId: ID } as const;
  const refused: [string, MetadataRecord[]][] = [
    ['a topic name twice', [topic('lines', ID2)]],
    ['a topic id twice', [topic('other')]],
    ['a partition of an unknown topic', [partition(0, [1], ID2)]],
    ['a partition that leaves a gap', [partition(2)]],
    ['a partition twice', [partition(0)]],
    ['a change of an unknown topic', [{ ...change, topicId: ID2 }]],
    ['a change of an unknown partition', [{ ...change, partitionId: 1 }]],
    ['the removal of an unknown topic', [{ kind: 'remove-topic', topicId: ID2 }]],
    ['an empty in-sync set', [{ ...change, isr: [] }]],
    ['an in-sync replica that is none', [{ ...change, isr: [1, 9] }]],
    ['a leader that is not in sync', [{ ...change, isr: [2], leader: 1 }]],
    ['directories that do not fit', [{ ...change, directories: [ID] }]],
    [
      'a change of an unregistered broker',
      [{ ...broker, kind: 'broker-registration-change', fenced: 'fence', inControlledShutdown: 'none' }],
    ],
    [
      'a change with the epoch of another incarnation',
      [
        broker,
        {
          kind: 'broker-registration-change',
          brokerId: 1,
          brokerEpoch: 4,
          fenced: 'fence',
          inControlledShutdown: 'none',
        },
      ],
    ],
    [
      'an unregistration with another epoch',
      [broker, { kind: 'unregister-broker', brokerId: 1, brokerEpoch: 6 }],
    ],
    ['a broker epoch that goes back', [broker, { ...broker, brokerEpoch: 4 }]],
    [
      'producer ids that go back',
      [
        { kind: 'producer-ids', brokerId: 1, brokerEpoch: 1, nextProducerId: 1000 },
        { kind: 'producer-ids', brokerId: 1, brokerEpoch: 1, nextProducerId: 1000 },
      ],
    ],
  ];
  it.each(refused)('%s is refused', (_, records) => {
    const image = replayAll(records.slice(0, -1), lines);
    expect(() => replay(image, records.at(-1) as MetadataRecord)).toThrow(ReplayError);
  });
});

describe('a delta', () => {
  const delta = (records: MetadataRecord[], previous = lines) =>
    deltaOf(previous, replayAll(records, previous), records);

  it('is empty for a topic created and deleted within it', () => {
    const { changedTopics, deletedTopics } = delta([
      topic('brief', ID2),
      partition(0, [1], ID2),
      { kind: 'remove-topic', topicId: ID2 },
    ]);
    expect([changedTopics.size, deletedTopics.size]).toEqual([0, 0]);
  });

  it('has the old id deleted and the new one changed when a name is made anew', () => {
    const { changedTopics, deletedTopics } = delta([
      { kind: 'remove-topic', topicId: ID },
      topic('lines', ID2),
      partition(0, [2], ID2),
    ]);
    expect([...deletedTopics.keys()]).toEqual([ID]);
    expect([...changedTopics.keys()]).toEqual([ID2]);
    expect(deletedTopics.get(ID)?.partitions[0]?.replicas).toEqual([1, 2, 3]);
    expect(changedTopics.get(ID2)?.partitions[0]?.replicas).toEqual([2]);
  });

  it('names the topic whose configuration changed, not one that was deleted with it', () => {
    const set = { kind: 'config', resourceType: 'topic', name: 'k', value: 'v' } as const;
    expect([...delta([{ ...set, resourceName: 'lines' }]).configsChanged.topics]).toEqual(['lines']);
    const deleted = delta([
      { ...set, resourceName: 'lines' },
      { kind: 'remove-topic', topicId: ID },
    ]);
    expect(deleted.configsChanged.topics.size).toBe(0);
  });

  it('from the empty image holds everything', () => {
    const image = replayAll(history(11, 150));
    const { changedTopics, deletedTopics, changedBrokers } = deltaFromEmpty(image);
    expect(new Set(changedTopics.keys())).toEqual(new Set(image.topics.byId.keys()));
    expect(changedBrokers).toEqual(new Set(image.cluster.brokers.keys()));
    expect(deletedTopics.size).toBe(0);
  });
});

describe('the effective configuration of a topic', () => {
  const set = (resourceType: 'topic' | 'broker', resourceName: string, name: string, value: string) =>
    ({ kind: 'config', resourceType, resourceName, name, value }) as const;

  it('takes topic before broker before cluster before file before default', () => {
    const records = [
      set('broker', '', 'log.retention.ms', '3'),
      set('broker', '1', 'log.retention.ms', '4'),
      set('topic', 'lines', 'retention.ms', '5'),
    ];
    const file = { 'log.retention.ms': '2' };
    const read = (count: number, brokerId?: number, from = file as Record<string, string>) =>
      effectiveTopicConfig(replayAll(records.slice(0, count), lines), 'lines', from, brokerId)[
        'retention.ms'
      ];
    expect(read(0, 1, {})).toEqual({ value: '604800000', source: 'default' });
    expect(read(0, 1)).toEqual({ value: '2', source: 'static' });
    expect(read(1, 1)).toEqual({ value: '3', source: 'cluster' });
    expect(read(2, 1)).toEqual({ value: '4', source: 'broker' });
    expect(read(2, 2)).toEqual({ value: '3', source: 'cluster' });
    expect(read(2)).toEqual({ value: '3', source: 'cluster' });
    expect(read(3, 1)).toEqual({ value: '5', source: 'topic' });
  });
});
