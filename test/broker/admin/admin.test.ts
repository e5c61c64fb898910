import { describe, expect, it } from 'vitest';
import { describeBrokersOf } from '../../../src/broker/admin/describe-cluster.ts';
import { describeBrokerConfigs, describeTopicConfigs } from '../../../src/broker/admin/describe-configs.ts';
import { ADMIN_TIMEOUT_MS, ForwardedAdmin } from '../../../src/broker/admin/forwarded-admin.ts';
import { brokerConfig } from '../../../src/broker/config.ts';
import type { ControllerCall, ControllerChannel } from '../../../src/broker/controller/controller-channel.ts';
import type { ControllerService, CreatableTopic } from '../../../src/rpc/api/index.ts';
import { broker, CALL, imageOf, topic } from '../fixture.ts';

const set = (resourceType: 'topic' | 'broker', resourceName: string, name: string, value: string) =>
  ({ kind: 'config', resourceType, resourceName, name, value }) as const;

describe('described configs', () => {
  const image = imageOf(
    broker(1),
    ...topic('t', 1),
    set('topic', 't', 'retention.ms', '5'),
    set('broker', '', 'min.insync.replicas', '2'),
    set('broker', '1', 'log.level', 'debug'),
  );
  const properties = { 'log.segment.bytes': '1000', 'min.insync.replicas': '3' };

  it('of a topic say which layer each value comes from', () => {
    const { entries } = describeTopicConfigs(image, 't', properties);
    const of = (name: string) => entries.find((entry) => entry.name === name);
    expect(of('retention.ms')).toMatchObject({ value: '5', source: 'topic' });
    expect(of('min.insync.replicas')).toMatchObject({ value: '2', source: 'cluster' });
    expect(of('segment.bytes')).toMatchObject({ value: '1000', source: 'static' });
    expect(of('write.caching')).toMatchObject({ value: 'false', source: 'default' });
  });

  it('of a broker put its own over those of all, over the file, over the default', () => {
    const { entries } = describeBrokerConfigs(image, 1, properties);
    const of = (name: string) => entries.find((entry) => entry.name === name);
    expect(of('log.level')).toMatchObject({ value: 'debug', source: 'broker' });
    expect(of('min.insync.replicas')).toMatchObject({ value: '2', source: 'cluster' });
    expect(of('log.segment.bytes')).toMatchObject({ value: '1000', source: 'static' });
    expect(of('request.timeout.ms')).toMatchObject({ value: '30000', source: 'default' });
  });

  it('of an unknown topic are an error with its name', () => {
    expect(describeTopicConfigs(image, 'x', {})).toMatchObject({
      error: 'UNKNOWN_TOPIC_OR_PARTITION',
      errorMessage: 'there is no topic "x"',
      entries: [],
    });
  });
});

describe('described brokers', () => {
  it('count what each leads and holds', () => {
    const image = imageOf(broker(2), broker(1), ...topic('t', 1, 2, 1, -1));
    expect(
      describeBrokersOf(image).map(({ nodeId, leaders, replicas }) => [nodeId, leaders, replicas]),
    ).toEqual([
      [1, 2, 4],
      [2, 1, 4],
    ]);
  });
});

describe('requests to the controller', () => {
  const creatable = (name: string): CreatableTopic => ({
    name,
    partitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs: {},
  });

  function adminOf(calls: ControllerCall[]) {
    const controller = {
      createTopics: ({ topics }: { topics: readonly CreatableTopic[] }) =>
        Promise.resolve({ topics: topics.map(({ name }) => ({ name, error: 'NONE' })) }),
    } as unknown as ControllerService;
    const channel = {
      call: (invoke: (service: ControllerService, call: object) => unknown, call: ControllerCall) => {
        calls.push(call);
        return invoke(controller, {});
      },
    } as unknown as ControllerChannel;
    return new ForwardedAdmin(channel);
  }

  it('answer for a name that cannot be a topic at the door, the others in order', async () => {
    const topics = ['a', '../x', 'b'].map(creatable);
    const reply = await adminOf([]).createTopics(
      { topics, validateOnly: false, timeoutMs: 500 },
      CALL.signal,
    );
    expect(reply.topics.map(({ name, error }) => [name, error])).toEqual([
      ['a', 'NONE'],
      ['../x', 'INVALID_TOPIC_EXCEPTION'],
      ['b', 'NONE'],
    ]);
  });

  it('do not reach the controller when no name is left', async () => {
    const calls: ControllerCall[] = [];
    const request = { topics: [creatable('')], validateOnly: false, timeoutMs: 500 };
    await adminOf(calls).createTopics(request, CALL.signal);
    expect(calls).toEqual([]);
  });

  it('wait at most ten seconds, whatever is asked', async () => {
    const calls: ControllerCall[] = [];
    for (const timeoutMs of [0, 200, 3_600_000])
      await adminOf(calls).createTopics(
        { topics: [creatable('a')], validateOnly: false, timeoutMs },
        CALL.signal,
      );
    const [none, short, long] = calls.map(({ timeoutMs }) => timeoutMs);
    expect(short).toBe(200);
    expect([none, long].every((ms) => ms !== undefined && ms <= ADMIN_TIMEOUT_MS && ms > 5_000)).toBe(true);
  });
});

describe('broker config', () => {
  it('takes defaults from the table of keys', () => {
    expect(brokerConfig({ 'broker.heartbeat.interval.ms': '100' })).toMatchObject({
      heartbeatIntervalMs: 100,
      registrationTimeoutMs: 60_000,
      controlledShutdown: true,
    });
  });
});
