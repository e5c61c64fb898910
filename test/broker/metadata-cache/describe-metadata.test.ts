import { describe, expect, it } from 'vitest';
import { describeMetadata } from '../../../src/broker/metadata-cache/describe-metadata.ts';
import type { MetadataRecord } from '../../../src/metadata/index.ts';
import { broker, CLUSTER_ID, imageOf, topic } from '../fixture.ts';

const IMAGE = imageOf(
  broker(2),
  broker(1),
  broker(3, { fenced: true }),
  ...topic('t', 1, 3, -1),
  ...topic('a', 2),
);
const CLUSTER = { clusterId: CLUSTER_ID, controllerId: 9 };

describe('metadata', () => {
  it('lists live brokers by id, with the address of clients', () => {
    expect(describeMetadata(IMAGE, {}, CLUSTER).brokers).toEqual([
      { nodeId: 1, address: { host: 'broker1', port: 9092 } },
      { nodeId: 2, address: { host: 'broker2', port: 9092 } },
    ]);
  });

  it('shows a fenced leader as none, and replicas on fenced brokers as offline', () => {
    const [described] = describeMetadata(IMAGE, { topics: ['t'] }, CLUSTER).topics;
    expect(described?.partitions.map(({ error, leaderId }) => [error, leaderId])).toEqual([
      ['NONE', 1],
      ['LEADER_NOT_AVAILABLE', -1],
      ['LEADER_NOT_AVAILABLE', -1],
    ]);
    expect(described?.partitions[0]).toMatchObject({ leaderEpoch: 7, isr: [1, 2, 3], offlineReplicas: [3] });
  });

  it('shows a replica whose directory has failed as offline, and says why nobody leads when it was the last', () => {
    const lost = broker(1, { logDirs: [] });
    const [described] = describeMetadata(
      imageOf(lost, broker(2), ...topic('t', -1)),
      { topics: ['t'] },
      CLUSTER,
    ).topics;
    expect(described?.partitions[0]).toMatchObject({ leaderId: -1, offlineReplicas: [1, 3] });
    const alone = { ...topic('t', -1)[1], isr: [1] } as MetadataRecord;
    const records = [lost, broker(2), ...topic('t', -1).slice(0, 1), alone];
    const [last] = describeMetadata(imageOf(...records), { topics: ['t'] }, CLUSTER).topics;
    expect(last?.partitions[0]?.errorMessage).toContain('its log on broker 1 is offline');
  });

  it('answers for every topic asked, in order, unknown ones with the reason', () => {
    const { topics } = describeMetadata(IMAGE, { topics: ['nope', 'a', '..'] }, CLUSTER);
    expect(topics.map(({ name, error }) => [name, error])).toEqual([
      ['nope', 'UNKNOWN_TOPIC_OR_PARTITION'],
      ['a', 'NONE'],
      ['..', 'INVALID_TOPIC_EXCEPTION'],
    ]);
  });

  it('lists all topics by name when none is named, and none when the list is empty', () => {
    expect(describeMetadata(IMAGE, {}, CLUSTER).topics.map(({ name }) => name)).toEqual(['a', 't']);
    expect(describeMetadata(IMAGE, { topics: [] }, CLUSTER).topics).toEqual([]);
  });
});
