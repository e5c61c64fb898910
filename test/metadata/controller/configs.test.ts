import { describe, expect, it } from 'vitest';
import { decideActivate, decideAlterConfigs, decideNoOp } from '../../../src/metadata/controller/index.ts';
import { effectiveTopicConfig } from '../../../src/metadata/index.ts';
import type { ConfigChange, ConfigOperation } from '../../../src/rpc/api/index.ts';
import { ControllerFixture, topicRequest } from './fixture.ts';

function alter(f: ControllerFixture, ...changes: ConfigChange[]) {
  return f.run((image, context) => decideAlterConfigs(image, { changes, validateOnly: false }, context))
    .resources;
}

const topic = (name: string, ...operations: ConfigOperation[]): ConfigChange => ({
  type: 'topic',
  name,
  operations,
});
const broker = (name: string, ...operations: ConfigOperation[]): ConfigChange => ({
  type: 'broker',
  name,
  operations,
});
const set = (name: string, value: string): ConfigOperation => ({ kind: 'set', name, value });

function cluster() {
  const f = new ControllerFixture().start(1, 2);
  f.create(topicRequest('lines', { assignments: [[1, 2]] }));
  return f;
}

describe('altering configurations', () => {
  it('sets and deletes keys', () => {
    const f = cluster();
    alter(f, topic('lines', set('retention.ms', '5'), set('segment.bytes', '1000')));
    alter(f, topic('lines', { kind: 'delete', name: 'segment.bytes' }));
    expect(f.image.configs.topicConfig('lines')).toEqual(new Map([['retention.ms', '5']]));
  });

  it('appends to and subtracts from a list, beginning with the value in effect', () => {
    const f = cluster();
    const change = (kind: 'append' | 'subtract', value: string) => {
      const [outcome] = alter(f, topic('lines', { kind, name: 'cleanup.policy', value }));
      return [outcome?.error, f.image.configs.topicConfig('lines').get('cleanup.policy')];
    };
    expect(change('append', 'delete')).toEqual(['NONE', 'delete']);
    expect(change('append', 'delete')).toEqual(['NONE', 'delete']);
    expect(change('append', 'tidy')).toEqual(['INVALID_CONFIG', 'delete']);
    expect(change('append', 'compact')).toEqual(['NONE', 'delete,compact']);
    expect(change('subtract', 'compact')).toEqual(['NONE', 'delete']);
    expect(change('subtract', 'delete')).toEqual(['INVALID_CONFIG', 'delete']);
  });

  it('writes no record for a topic value that does not change, but one for a broker value', () => {
    const f = cluster();
    alter(f, topic('lines', set('retention.ms', '5')), broker('', set('log.retention.ms', '7')));
    alter(f, topic('lines', set('retention.ms', '5'), { kind: 'delete', name: 'segment.ms' }));
    expect(f.records).toEqual([]);
    alter(f, broker('', set('log.retention.ms', '7')));
    expect(f.records).toHaveLength(1);
  });

  it('of a broker, or of all, shows in the topics', () => {
    const f = cluster();
    alter(f, broker('', set('min.insync.replicas', '2')), broker('1', set('log.retention.ms', '9')));
    const config = effectiveTopicConfig(f.image, 'lines', {}, 1);
    expect(config['min.insync.replicas']).toEqual({ value: '2', source: 'cluster' });
    expect(config['retention.ms']).toEqual({ value: '9', source: 'broker' });
  });

  it.each<[ConfigChange, string, RegExp]>([
    [
      topic('lines', set('retention.mss', '5')),
      'INVALID_CONFIG',
      /"retention.mss"; did you mean "retention.ms"\?/,
    ],
    [topic('lines', set('retention.ms', 'long')), 'INVALID_CONFIG', /retention.ms must be a whole number/],
    [topic('lines', { kind: 'set', name: 'retention.ms' }), 'INVALID_CONFIG', /no value/],
    [topic('lines', { kind: 'append', name: 'retention.ms', value: '5' }), 'INVALID_CONFIG', /is no list/],
    [topic('lines', { kind: 'delete', name: 'nonsense' }), 'INVALID_CONFIG', /unknown topic/],
    [topic('lines', set('retention.ms', '1'), set('retention.ms', '2')), 'INVALID_REQUEST', /twice/],
    [topic('none', set('retention.ms', '1')), 'UNKNOWN_TOPIC_OR_PARTITION', /"none"/],
    [broker('9', set('log.retention.ms', '1')), 'BROKER_ID_NOT_REGISTERED', /broker 9/],
    [broker('one', set('log.retention.ms', '1')), 'INVALID_REQUEST', /"one" is no broker id/],
    [broker('', set('node.id', '1')), 'INVALID_CONFIG', /node.id is read at start only/],
    [
      broker('', set('retention.ms', '1')),
      'INVALID_CONFIG',
      /unknown broker configuration key "retention.ms"/,
    ],
  ])('refuses %j with %s', (change, error, message) => {
    const f = cluster();
    const [outcome, other] = alter(f, change, broker('2', set('log.retention.ms', '3')));
    expect(outcome?.error).toBe(error);
    expect(outcome?.errorMessage).toMatch(message);
    expect(other?.error).toBe('NONE');
    expect(f.records).toHaveLength(1);
  });

  it('changes all keys of a resource or none', () => {
    const f = cluster();
    alter(f, topic('lines', set('retention.ms', '5'), set('segment.bytes', '-1')));
    expect(f.image.configs.topicConfig('lines').size).toBe(0);
  });

  it('refuses both of two changes of one resource', () => {
    const f = cluster();
    const change = topic('lines', set('retention.ms', '5'));
    expect(alter(f, change, change).map(({ error }) => error)).toEqual([
      'INVALID_REQUEST',
      'INVALID_REQUEST',
    ]);
  });

  it('writes nothing when it only validates', () => {
    const f = cluster();
    const changes = [topic('lines', set('retention.ms', '5')), topic('none')];
    const request = { changes, validateOnly: true };
    const { resources } = f.run((image, context) => decideAlterConfigs(image, request, context));
    expect(resources.map(({ error }) => error)).toEqual(['NONE', 'UNKNOWN_TOPIC_OR_PARTITION']);
    expect(f.records).toEqual([]);
  });

  it('elects at once where unclean election becomes allowed and nobody leads', () => {
    const f = cluster();
    f.fence(2);
    f.heartbeat(2);
    f.fence(1);
    expect(f.partition('lines')).toMatchObject({ leader: -1, isr: [1] });
    alter(f, broker('', set('unclean.leader.election.enable', 'true')));
    expect(f.partition('lines')).toMatchObject({ leader: 2, isr: [2], leaderRecoveryState: 'recovering' });
  });
});

describe('what a controller writes by itself', () => {
  it('is the level of metadata.version on an empty log, once', () => {
    const f = new ControllerFixture();
    expect(f.run(decideActivate)).toEqual({ bootstrapped: true, elected: 0 });
    expect(f.records).toEqual([{ kind: 'feature-level', name: 'metadata.version', featureLevel: 1 }]);
    expect(f.run(decideActivate)).toEqual({ bootstrapped: false, elected: 0 });
    expect(f.records).toEqual([]);
  });

  it('is a record without meaning when nothing else happens', () => {
    const f = cluster();
    const { topics, cluster: brokers } = f.image;
    f.run(decideNoOp);
    expect(f.records).toEqual([{ kind: 'no-op' }]);
    expect(f.image.topics).toBe(topics);
    expect(f.image.cluster).toBe(brokers);
  });
});
