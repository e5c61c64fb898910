import { expect, it } from 'vitest';
import { ApiError } from '../../../src/base/index.ts';
import { checkHistory, HistoryChecker, HistoryRecorder } from '../../../src/testing/checkers/index.ts';

function recorder(): HistoryRecorder {
  let timeMs = 0;
  return new HistoryRecorder(() => timeMs++);
}

it('an operation is its invocation and what came of it', () => {
  const history = recorder();
  const pending = history.invoke('p', { f: 'send', topic: 't', values: ['a'] });
  history.note('nemesis', { f: 'fault', fault: 'kill', nodes: [1] });
  pending.ok({ placed: [{ partition: 0, offset: 7, count: 1 }] });
  expect(history.events).toEqual([
    {
      index: 0,
      timeMs: 0,
      process: 'p',
      type: 'invoke',
      operation: { f: 'send', topic: 't', values: ['a'] },
    },
    {
      index: 1,
      timeMs: 1,
      process: 'nemesis',
      type: 'ok',
      operation: { f: 'fault', fault: 'kill', nodes: [1] },
    },
    {
      index: 2,
      timeMs: 2,
      process: 'p',
      type: 'ok',
      operation: { f: 'send', topic: 't', values: ['a'], placed: [{ partition: 0, offset: 7, count: 1 }] },
      invokedAt: 0,
    },
  ]);
});

it('the acknowledgements of the client are placements', () => {
  const history = recorder();
  const acks = [{ topic: 't', partition: 2, offset: 5, count: 1, leaderEpoch: 3, replicas: [1, 2] }];
  const { operation } = history.invoke('p', { f: 'send', topic: 't', values: ['a'] }).ok({ placed: acks });
  expect(operation).toEqual({
    f: 'send',
    topic: 't',
    values: ['a'],
    placed: [{ partition: 2, offset: 5, count: 1 }],
  });
});

it.each([
  ['a definite refusal', new ApiError('NOT_ENOUGH_REPLICAS'), 'fail'],
  ['a timeout', new ApiError('REQUEST_TIMED_OUT'), 'info'],
  ['a broken connection', new ApiError('NETWORK_EXCEPTION'), 'info'],
  ['an error that says nothing', new ApiError('UNKNOWN_SERVER_ERROR'), 'info'],
  ['an error that is not of the API', new Error('socket hang up'), 'info'],
])('%s settles what it ended', (_, error, type) => {
  const history = recorder();
  const { type: found } = history.invoke('p', { f: 'send', topic: 't', values: ['a'] }).caught(error);
  expect(found).toBe(type);
});

it('of several values no error tells for certain that none was written', () => {
  const history = recorder();
  const pending = history.invoke('p', { f: 'send', topic: 't', values: ['a', 'b'] });
  expect(pending.caught(new ApiError('NOT_ENOUGH_REPLICAS')).type).toBe('info');
});

it('nothing is settled twice', () => {
  const history = recorder();
  const pending = history.invoke('p', { f: 'poll' });
  pending.ok({ polled: [] });
  expect(() => pending.fail()).toThrow('operation 0 of p is settled already');
});

it.each(['', 'corrupted:x'])('a value cannot be named "%s"', (value) => {
  expect(() => recorder().invoke('p', { f: 'send', topic: 't', values: [value] })).toThrow(
    'cannot be the name',
  );
});

it('lines give the same events back', () => {
  const history = recorder();
  history.invoke('p', { f: 'send', topic: 't', values: ['a', 'b'], producer: 'p#1' }).info(new Error('lost'));
  const poll = history.invoke('c', { f: 'poll' });
  poll.ok({ polled: [{ topic: 't', partition: 0, records: [[0, 'a']], highWatermark: 1 }] });
  expect(HistoryRecorder.parse(history.toJsonLines())).toEqual(history.events);
  expect(HistoryRecorder.parse(history.toJsonLines().split('\n'))).toEqual(history.events);
});

it('a recorder with a sink keeps nothing, and a checker behind it judges the same', () => {
  const kept = recorder();
  const checker = new HistoryChecker();
  const passed = new HistoryRecorder(
    () => 0,
    (event) => checker.add(event),
  );
  for (const history of [kept, passed]) {
    history
      .invoke('p', { f: 'send', topic: 't', values: ['a'] })
      .ok({ placed: [{ partition: 0, offset: 0, count: 1 }] });
    history.invoke('c', { f: 'poll' }).ok({ polled: [{ topic: 't', partition: 0, records: [[0, 'b']] }] });
  }
  expect(passed.events).toEqual([]);
  const verdict = checker.conclude();
  expect(verdict).toEqual(checkHistory(kept.events));
  expect(verdict.anomalies).toEqual({ 'inconsistent-offsets': 1, 'lost-write': 1, phantom: 1 });
});
