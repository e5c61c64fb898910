import { describe, expect, it } from 'vitest';
import { ApiError, EnvironmentError } from '../../../src/base/index.ts';
import { createClient } from '../../../src/client/index.ts';
import type { Address, AdminService, Transport } from '../../../src/rpc/api/index.ts';
import { createTestEnvironment } from '../../../src/testing/twins/index.ts';
import { clientWorld, rejection } from '../client-world.ts';

/** A client whose brokers answer admin calls as `service` does; port 9001 is down. */
function adminWorld(service: Partial<AdminService>) {
  const environment = createTestEnvironment({ seed: 1, name: 'client' });
  const asked: number[] = [];
  const admin = (address: Address) =>
    new Proxy(service, {
      get: (_, method: keyof AdminService) => async (request: never, call: never) => {
        asked.push(address.port);
        if (address.port === 9001) throw new EnvironmentError('unreachable', '', 'nobody listens there');
        return service[method]?.(request, call);
      },
    });
  const transport = {
    connect: (address: Address) => ({ address, admin: admin(address), close: () => {} }),
  } as unknown as Transport;
  const client = createClient({ bootstrap: 'fake:9001,fake:9002', transport, environment });
  return { client, asked, finish: <T>(promise: Promise<T>) => environment.scheduler.finish(promise) };
}

const created = { error: 'NONE' as const, topicId: 'id', partitions: 3, replicationFactor: 3 };

describe('admin', () => {
  it('fills in what a topic leaves open, and tells the broker a shorter time than it has', async () => {
    const requests: unknown[] = [];
    const { client, finish } = adminWorld({
      createTopics: async (request) => {
        requests.push(request);
        return { topics: request.topics.map(({ name }) => ({ ...created, name })) };
      },
    });
    await finish(client.admin.createTopic('t', { configs: { a: 'b' } }, { timeoutMs: 1000 }));
    const topic = { name: 't', partitions: -1, replicationFactor: -1, assignments: [], configs: { a: 'b' } };
    expect(requests).toEqual([{ topics: [topic], validateOnly: false, timeoutMs: 500 }]);
  });

  it('throws the refusal of one thing, and returns those of many', async () => {
    const refused = { ...created, error: 'TOPIC_ALREADY_EXISTS' as const, errorMessage: 'topic t is there' };
    const { client, finish } = adminWorld({
      createTopics: async ({ topics }) => ({
        topics: topics.map(({ name }) => (name === 't' ? { ...refused, name } : { ...created, name })),
      }),
    });
    const error = await finish(rejection(client.admin.createTopic('t')));
    expect(error).toMatchObject({
      code: 'TOPIC_ALREADY_EXISTS',
      message: 'topic t is there',
      definite: true,
    });
    const outcomes = await finish(client.admin.createTopics([{ name: 't' }, { name: 'u' }]));
    expect(outcomes.map((outcome) => outcome.error)).toEqual(['TOPIC_ALREADY_EXISTS', 'NONE']);
  });

  it('asks another broker when one is down, and again what may pass', async () => {
    let calls = 0;
    const { client, asked, finish } = adminWorld({
      alterConfigs: async () => {
        if (++calls < 3) throw new ApiError('NOT_CONTROLLER', 'no active controller now');
        return { resources: [{ type: 'topic', name: 't', error: 'NONE' }] };
      },
    });
    await finish(client.admin.alterTopicConfigs('t', { 'retention.ms': '1', 'segment.ms': undefined }));
    expect(calls).toBe(3);
    expect(asked[0]).toBe(9001);
  });

  it('gives up in bounded time with the last reason', async () => {
    const { client, finish } = adminWorld({
      deleteTopics: () => Promise.reject(new ApiError('NOT_CONTROLLER', 'no active controller now')),
    });
    const error = await finish(rejection(client.admin.deleteTopic('t', { timeoutMs: 3000 })));
    expect(error).toMatchObject({ code: 'NOT_CONTROLLER' });
    expect(error.message).toContain('within 3000 ms');
  });

  it('does not repeat a refusal that time cannot cure', async () => {
    let calls = 0;
    const { client, finish } = adminWorld({
      describeCluster: () => {
        calls++;
        return Promise.reject(new ApiError('INVALID_REQUEST', 'malformed'));
      },
    });
    expect((await finish(rejection(client.admin.describeCluster()))).code).toBe('INVALID_REQUEST');
    expect(calls).toBe(1);
  });

  it('describes topics in the order asked, naming those that are not there', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('b');
    cluster.createTopic('a');
    const topics = await finish(client.admin.describeTopics(['b', 'none', 'a']));
    expect(topics.map(({ name, error }) => [name, error])).toEqual([
      ['b', 'NONE'],
      ['none', 'UNKNOWN_TOPIC_OR_PARTITION'],
      ['a', 'NONE'],
    ]);
    expect((await finish(client.admin.listTopics())).map(({ name }) => name)).toEqual(['a', 'b']);
    expect((await finish(rejection(client.admin.describeTopic('none')))).message).toContain('none');
  });
});
