import { describe, expect, it } from 'vitest';
import {
  advance,
  EMPTY_IMAGE,
  type MetadataImage,
  type MetadataRecord,
  replay,
  TopicsImage,
} from '../../../src/metadata/index.ts';
import { ImageLaws, ImageLife } from '../../../src/testing/sim/cluster/watch/image-laws.ts';

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ';
const broker = (brokerId: number, brokerEpoch = 1): MetadataRecord => ({
  kind: 'register-broker',
  brokerId,
  incarnationId: topicId,
  brokerEpoch,
  listeners: [],
  features: [],
  fenced: false,
  inControlledShutdown: false,
  logDirs: [],
});
const partition: MetadataRecord = {
  kind: 'partition',
  partitionId: 0,
  topicId,
  replicas: [1, 2],
  isr: [1, 2],
  addingReplicas: [],
  removingReplicas: [],
  directories: [topicId, topicId],
  leader: 1,
  leaderEpoch: 3,
  partitionEpoch: 7,
  leaderRecoveryState: 'recovered',
};
const records: MetadataRecord[] = [broker(1), broker(2), { kind: 'topic', name: 't', topicId }, partition];
const good = advance(records.reduce(replay, EMPTY_IMAGE), 9, 1);

/** An image that no record can make. */
function withPartition(change: Partial<Extract<MetadataRecord, { kind: 'partition' }>>): MetadataImage {
  const topic = good.topics.find('t');
  const [old] = topic?.partitions ?? [];
  if (topic === undefined || old === undefined) throw new Error('the image has the partition');
  const { byName, byId, byCollisionKey } = good.topics;
  const { kind: _, topicId: _id, partitionId: _index, ...fields } = { ...partition, ...old, ...change };
  const changed = byName.set('t', { ...topic, partitions: [fields] });
  return { ...good, topics: new TopicsImage(changed, byId, byCollisionKey), offset: 11 };
}

function seeAfterGood(image: MetadataImage): () => void {
  const laws = new ImageLaws();
  const life = new ImageLife();
  laws.see(life, 'n', good);
  return () => laws.see(life, 'n', image);
}

describe('the watch of the metadata image', () => {
  it('sees two nodes, or two lives of one, that have different images at an offset', () => {
    const compared = { ...good, offset: 12 };
    for (const node of ['b', 'a']) {
      const laws = new ImageLaws();
      laws.see(new ImageLife(), 'a', compared);
      laws.see(new ImageLife(), node, compared);
      const other = replay(compared, { kind: 'producer-ids', nextProducerId: 5 } as MetadataRecord);
      expect(() => laws.see(new ImageLife(), node, other)).toThrow('an image is the same everywhere');
    }
  });

  it('sees an image that goes back', () => {
    expect(seeAfterGood({ ...good, offset: good.offset - 1 })).toThrow(
      'the offset of an image does not fall',
    );
  });

  it.each([
    ['an in-sync set is not empty', { isr: [], leader: -1 }],
    ['an in-sync set is within the replicas', { isr: [1, 3] }],
    ['a leader is in sync', { isr: [2] }],
    ['a leader epoch does not fall', { leaderEpoch: 2 }],
    ['a partition epoch does not fall', { partitionEpoch: 6 }],
  ])('sees that %s does not hold', (law, change) => {
    expect(seeAfterGood(withPartition({}))).not.toThrow();
    expect(seeAfterGood(withPartition(change))).toThrow(law);
  });

  it('sees a broker epoch that falls, and a leader that is fenced', () => {
    const cluster = (id: number, change: object): MetadataImage => {
      const { brokers } = good.cluster;
      const old = brokers.get(id);
      if (old === undefined) throw new Error('the image has the broker');
      return { ...good, offset: 11, cluster: { brokers: brokers.set(id, { ...old, ...change }) } };
    };
    expect(seeAfterGood(cluster(2, { epoch: 0 }))).toThrow('a broker epoch does not fall');
    expect(seeAfterGood(cluster(2, { fenced: true }))).not.toThrow();
    expect(seeAfterGood(cluster(1, { fenced: true }))).toThrow('a leader is not fenced');
  });
});
