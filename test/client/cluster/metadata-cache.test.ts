import { describe, expect, it } from 'vitest';
import { MetadataCache } from '../../../src/client/cluster/metadata-cache.ts';
import type { MetadataReply } from '../../../src/rpc/api/index.ts';

function reply(
  options: {
    leaderId?: number;
    epoch?: number;
    topicId?: string;
    offset?: number;
    error?: 'UNKNOWN_TOPIC_OR_PARTITION';
  } = {},
): MetadataReply {
  const { leaderId = 0, epoch = 0, topicId = 'a', offset = 1, error = 'NONE' } = options;
  const partition = {
    error: 'NONE' as const,
    partition: 0,
    leaderId,
    leaderEpoch: epoch,
    partitionEpoch: 0,
    replicas: [],
    isr: [],
    offlineReplicas: [],
  };
  return {
    clusterId: 'c',
    controllerId: 0,
    brokers: [0, 1].map((nodeId) => ({ nodeId, address: { host: 'h', port: nodeId } })),
    topics: [{ error, name: 't', topicId, partitions: error === 'NONE' ? [partition] : [] }],
    metadataOffset: offset,
  };
}

describe('metadata cache', () => {
  it('believes the higher leader epoch, whichever came last', () => {
    const cache = new MetadataCache();
    expect(cache.apply(reply({ leaderId: 1, epoch: 5 }), 0)).toBe(true);
    expect(cache.apply(reply({ leaderId: 0, epoch: 4, offset: 9 }), 0)).toBe(false);
    expect(cache.findLeader('t', 0)).toEqual({ nodeId: 1, leaderEpoch: 5 });
  });

  it('starts over with another topic id, unless the answer is older', () => {
    const cache = new MetadataCache();
    cache.apply(reply({ leaderId: 1, epoch: 5, offset: 10 }), 0);
    cache.apply(reply({ leaderId: 0, epoch: 0, topicId: 'b', offset: 9 }), 0);
    expect(cache.findLeader('t', 0)).toEqual({ nodeId: 1, leaderEpoch: 5 });
    cache.apply(reply({ leaderId: 0, epoch: 0, topicId: 'b', offset: 11 }), 0);
    expect(cache.findLeader('t', 0)).toEqual({ nodeId: 0, leaderEpoch: 0 });
  });

  it('learns a newer leader and its address from a refusal, and nothing from an older one', () => {
    const cache = new MetadataCache();
    cache.apply(reply({ epoch: 5 }), 0);
    expect(cache.learnLeader('t', 0, { nodeId: 1, leaderEpoch: 5 })).toBe(false);
    expect(cache.learnLeader('t', 0, { nodeId: 7, leaderEpoch: 6 })).toBe(false);
    expect(cache.learnLeader('t', 0, { nodeId: 7, leaderEpoch: 6, address: { host: 'h', port: 7 } })).toBe(
      true,
    );
    expect(cache.findLeader('t', 0)).toEqual({ nodeId: 7, leaderEpoch: 6 });
    expect(cache.findAddress(7)).toEqual({ host: 'h', port: 7 });
  });

  it('knows no leader of a partition without one, and no topic that is gone', () => {
    const cache = new MetadataCache();
    cache.apply(reply({ leaderId: -1, epoch: 1 }), 0);
    expect(cache.findLeader('t', 0)).toBeUndefined();
    cache.apply(reply({ error: 'UNKNOWN_TOPIC_OR_PARTITION' }), 0);
    expect(cache.findTopic('t')).toBeUndefined();
  });
});
