import { describe, expect, it } from 'vitest';
import { createClient } from '../../../src/client/index.ts';
import type { Address, DeletedRecords, DeleteRecordsRequest, Transport } from '../../../src/rpc/api/index.ts';
import { createTestEnvironment } from '../../../src/testing/twins/index.ts';
import { rejection } from '../client-world.ts';

type Answer = Pick<DeletedRecords, 'error' | 'lowWatermark'>;

/** A client of one broker that answers the n-th call by the n-th list, and then by the last. */
function world(...answers: readonly (readonly Answer[])[]) {
  const environment = createTestEnvironment({ seed: 1, name: 'client' });
  const requests: DeleteRecordsRequest[] = [];
  const deleteRecords = async (request: DeleteRecordsRequest) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)] ?? [];
    requests.push(request);
    return {
      partitions: request.partitions.map(({ topic, partition }, at) => ({
        error: 'NONE' as const,
        lowWatermark: -1,
        ...answer[at],
        topic,
        partition,
      })),
    };
  };
  const transport = {
    connect: (address: Address) => ({ address, admin: { deleteRecords }, close: () => {} }),
  } as unknown as Transport;
  const client = createClient({ bootstrap: 'fake:9001', transport, environment });
  return { client, requests, finish: <T>(promise: Promise<T>) => environment.scheduler.finish(promise) };
}

const records = [
  { topic: 't', partition: 0, before: 5 },
  { topic: 't', partition: 1, before: 'end' as const },
];

describe('deleting records', () => {
  it('asks with less time than the call has, and returns an outcome for each partition in order', async () => {
    const { client, requests, finish } = world([
      { error: 'NONE', lowWatermark: 5 },
      { error: 'POLICY_VIOLATION', lowWatermark: -1 },
    ]);
    const outcomes = await finish(client.admin.deleteRecords(records, { timeoutMs: 4000 }));
    expect(outcomes).toEqual([
      { topic: 't', partition: 0, error: 'NONE', lowWatermark: 5 },
      { topic: 't', partition: 1, error: 'POLICY_VIOLATION', lowWatermark: -1 },
    ]);
    expect(requests.map(({ timeoutMs }) => timeoutMs)).toEqual([3000]);
    expect(requests[0]?.partitions.map(({ beforeOffset }) => beforeOffset)).toEqual([5, -1]);
  });

  it('asks again only for partitions whose refusal passes', async () => {
    const { client, requests, finish } = world(
      [
        { error: 'NONE', lowWatermark: 5 },
        { error: 'LEADER_NOT_AVAILABLE', lowWatermark: -1 },
      ],
      [{ error: 'NONE', lowWatermark: 9 }],
    );
    const outcomes = await finish(client.admin.deleteRecords(records));
    expect(outcomes.map(({ lowWatermark }) => lowWatermark)).toEqual([5, 9]);
    expect(requests[1]?.partitions).toEqual([{ topic: 't', partition: 1, beforeOffset: -1 }]);
  });

  it('ends within its time with the last reason', async () => {
    const { client, finish } = world([
      { error: 'NOT_LEADER_OR_FOLLOWER', lowWatermark: -1 },
      { error: 'NONE', lowWatermark: 9 },
    ]);
    const outcomes = await finish(client.admin.deleteRecords(records, { timeoutMs: 3000 }));
    expect(outcomes.map(({ error }) => error)).toEqual(['NOT_LEADER_OR_FOLLOWER', 'NONE']);
  });

  it('refuses an offset that is none before it asks anybody', async () => {
    const { client, requests, finish } = world([]);
    for (const before of [-1, 1.5, Number.NaN])
      expect(
        await finish(rejection(client.admin.deleteRecords([{ topic: 't', partition: 0, before }]))),
      ).toMatchObject({ code: 'INVALID_REQUEST' });
    expect(requests).toEqual([]);
  });
});
