import { describe, expect, it } from 'vitest';
import { createClient, type OffsetTime } from '../../../src/client/index.ts';
import type {
  Address,
  ListOffsetsPartition,
  ListOffsetsPartitionReply,
  ListOffsetsRequest,
  MetadataReply,
  Transport,
} from '../../../src/rpc/api/index.ts';
import { createTestEnvironment } from '../../../src/testing/twins/index.ts';
import { rejection } from '../client-world.ts';

const addressOf = (nodeId: number): Address => ({ host: 'fake', port: 9000 + nodeId });
const NONE = 'NONE' as const;

/** Brokers 1 and 2; 1 leads partitions 0 and 2 of topic t, 2 leads 1. Epoch 5. */
const METADATA: MetadataReply = {
  clusterId: 'c',
  controllerId: 0,
  brokers: [1, 2].map((nodeId) => ({ nodeId, address: addressOf(nodeId) })),
  topics: [
    {
      error: NONE,
      name: 't',
      topicId: 'id',
      partitions: [1, 2, 1].map((leaderId, partition) => ({
        ...{ error: NONE, partition, leaderId, leaderEpoch: 5, partitionEpoch: 5 },
        ...{ replicas: [], isr: [], offlineReplicas: [] },
      })),
    },
  ],
  metadataOffset: 1,
};

type Answer = Partial<ListOffsetsPartitionReply>;

function world(answer: (asked: ListOffsetsPartition, nodeId: number, call: number) => Answer) {
  const environment = createTestEnvironment({ seed: 1, name: 'client' });
  const calls: (ListOffsetsRequest & { readonly nodeId: number })[] = [];
  const brokerOf = (nodeId: number) => ({
    metadata: async () => METADATA,
    listOffsets: async (request: ListOffsetsRequest) => {
      const call = calls.push({ nodeId, ...request });
      const partitions = request.partitions.map((asked) => ({
        ...{ error: NONE, offset: -1, timestampMs: -1, leaderEpoch: 5 },
        ...answer(asked, nodeId, call),
        ...{ topic: asked.topic, partition: asked.partition },
      }));
      // Nobody promises an order.
      return { partitions: partitions.reverse() };
    },
  });
  const transport = {
    connect: (address: Address) => ({ address, broker: brokerOf(address.port - 9000), close: () => {} }),
  } as unknown as Transport;
  const client = createClient({ bootstrap: 'fake:9001', transport, environment });
  return { client, calls, finish: <T>(promise: Promise<T>) => environment.scheduler.finish(promise) };
}

describe('listing offsets', () => {
  it('asks the leader of each partition once, and answers ascending by partition', async () => {
    const { client, calls, finish } = world(({ partition }) => ({
      offset: partition === 1 ? -1 : 100 + partition,
      timestampMs: partition === 1 ? -1 : 7000 + partition,
    }));
    expect(await finish(client.admin.listOffsets('t', { timestampMs: 7000 }))).toEqual([
      { topic: 't', partition: 0, offset: 100, timestampMs: 7000 },
      { topic: 't', partition: 1, offset: -1, timestampMs: -1 },
      { topic: 't', partition: 2, offset: 102, timestampMs: 7002 },
    ]);
    const asked = calls.map(({ nodeId, isolation, partitions }) => [
      ...[nodeId, isolation],
      ...partitions.map(({ partition, currentLeaderEpoch }) => `${partition} of epoch ${currentLeaderEpoch}`),
    ]);
    expect(asked.sort()).toEqual([
      [1, 'read_uncommitted', '0 of epoch 5', '2 of epoch 5'],
      [2, 'read_uncommitted', '1 of epoch 5'],
    ]);
  });

  it.each<[OffsetTime, number]>([
    ['latest', -1],
    ['earliest', -2],
    ['max-timestamp', -3],
    [{ timestampMs: 0 }, 0],
  ])('sends %j as %i', async (time, timestampMs) => {
    const { client, calls, finish } = world(() => ({ offset: 1 }));
    await finish(client.admin.listOffsets('t', time));
    const sent = calls.flatMap(({ partitions }) => partitions.map((one) => one.timestampMs));
    expect(sent).toEqual([timestampMs, timestampMs, timestampMs]);
  });

  it('follows a leader that moved, and asks again for its partition only', async () => {
    const currentLeader = { nodeId: 2, leaderEpoch: 6, address: addressOf(2) };
    const { client, calls, finish } = world(({ partition, currentLeaderEpoch }, nodeId) =>
      partition === 2 && nodeId === 1
        ? { error: 'NOT_LEADER_OR_FOLLOWER', currentLeader }
        : { offset: 10 * nodeId + currentLeaderEpoch },
    );
    const offsets = await finish(client.admin.listOffsets('t', 'latest'));
    expect(offsets.map(({ offset }) => offset)).toEqual([15, 25, 26]);
    expect(calls.slice(2).map(({ partitions }) => partitions.map((one) => one.partition))).toEqual([[2]]);
  });

  it('throws a refusal that does not pass at once, and one that does when time is up', async () => {
    const hopeless = world(() => ({ error: 'INVALID_REQUEST', errorMessage: 'no such time' }));
    const refused = await hopeless.finish(rejection(hopeless.client.admin.listOffsets('t', 'latest')));
    expect(refused).toMatchObject({ code: 'INVALID_REQUEST', message: 'no such time' });
    expect(hopeless.calls).toHaveLength(2);
    const patient = world(() => ({ error: 'LEADER_NOT_AVAILABLE' }));
    const listing = patient.client.admin.listOffsets('t', 'latest', { timeoutMs: 1000 });
    expect(await patient.finish(rejection(listing))).toMatchObject({ code: 'LEADER_NOT_AVAILABLE' });
    expect(patient.calls.length).toBeGreaterThan(4);
  });
});
