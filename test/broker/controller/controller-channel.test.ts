import { describe, expect, it } from 'vitest';
import { ApiError, EnvironmentError } from '../../../src/base/index.ts';
import { ControllerChannel } from '../../../src/broker/controller/controller-channel.ts';
import { describeTrouble } from '../../../src/broker/controller/quorum-trouble.ts';
import type { Connection, ControllerService } from '../../../src/rpc/api/index.ts';
import { createTestEnvironment } from '../../../src/testing/twins/index.ts';

type Answer = () => Promise<string>;

/** A channel whose attempts are answered by `answers`, one after the other, the last one for ever. */
function channelOf(answers: readonly Answer[], controllerId: () => number = () => 9) {
  const environment = createTestEnvironment({ seed: 1 });
  const attempts: number[] = [];
  const channel = new ControllerChannel({
    environment,
    controllerId,
    connect: (id) => {
      attempts.push(id);
      return { controller: {} as ControllerService } as Connection;
    },
    trouble: () => Promise.resolve('nobody leads'),
  });
  const call = (repeatable: boolean, timeoutMs = 1_000): Promise<string> => {
    const answer = (): Promise<string> => (answers[attempts.length - 1] ?? (answers.at(-1) as Answer))();
    return environment.scheduler.finish(channel.call(answer, { timeoutMs, repeatable }), 60_000);
  };
  return { call, attempts, environment };
}

const fails =
  (error: Error): Answer =>
  () =>
    Promise.reject(error);
const road = (reason: 'unreachable' | 'disconnected' | 'deadline-exceeded'): Answer =>
  fails(new EnvironmentError(reason, 'test', reason));
const ok: Answer = () => Promise.resolve('done');

describe('controller channel', () => {
  it('looks for the active controller until one answers', async () => {
    let leader = -1;
    const { call, environment } = channelOf([ok], () => leader);
    environment.timers.after(300, () => {
      leader = 8;
    });
    expect(await call(false)).toBe('done');
    expect(environment.clock.monotonicMs()).toBeLessThan(800);
  });

  it.each([
    ['NOT_CONTROLLER', fails(new ApiError('NOT_CONTROLLER'))],
    ['an unreachable controller', road('unreachable')],
  ])('tries again after %s: nothing was done', async (_what, first) => {
    const { call, attempts } = channelOf([first, first, ok]);
    expect(await call(false)).toBe('done');
    expect(attempts).toHaveLength(3);
  });

  it('repeats a broken call only where that is harmless', async () => {
    expect(await channelOf([road('disconnected'), ok]).call(true)).toBe('done');
    const { call, attempts } = channelOf([road('disconnected'), ok]);
    await expect(call(false)).rejects.toMatchObject({ code: 'NETWORK_EXCEPTION', definite: false });
    expect(attempts).toHaveLength(1);
  });

  it('passes a refusal on', async () => {
    const { call } = channelOf([fails(new ApiError('TOPIC_ALREADY_EXISTS', 'there is one'))]);
    await expect(call(true)).rejects.toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' });
  });

  it('says within its time why nobody decided', async () => {
    const { call, environment } = channelOf([ok], () => -1);
    await expect(call(false, 2_000)).rejects.toMatchObject({
      code: 'NOT_CONTROLLER',
      message: 'nobody leads',
    });
    expect(environment.clock.monotonicMs()).toBeLessThanOrEqual(2_001);
  });
});

describe('trouble', () => {
  const voter = (nodeId: number, reachable: boolean, leaderId = -1) => ({ nodeId, reachable, leaderId });

  it('names the controllers to start when the majority is gone', () => {
    expect(describeTrouble([voter(1, true), voter(2, false), voter(3, false)])).toBe(
      'no active controller: the quorum of 3 has 1 voter reachable (1) and needs 2; start controller 2 or 3; ' +
        'records flow on meanwhile, topics, configs and leaders change when a majority of controllers runs',
    );
  });

  it('says so when a majority is there and elects', () => {
    expect(describeTrouble([voter(1, true), voter(2, true), voter(3, false)])).toContain('is electing');
  });

  it('names a leader that does not answer', () => {
    expect(describeTrouble([voter(1, true, 1), voter(2, false), voter(3, false)])).toBe(
      'controller 1 says it is active but did not answer in time; unreachable: 2, 3',
    );
  });
});
