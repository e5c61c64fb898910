import { expect, it } from 'vitest';
import { describeUnderMinIsr } from '../../../../src/broker/replica/core/under-min-isr.ts';
import { brokers, leader, report } from './fixture.ts';

it('a refusal for too few in-sync replicas names each missing one, why, and what helps', () => {
  const state = leader({ isr: [1] }, { minIsr: 2 });
  state.observeFollower(3, report(3, 796), 2000, 0);
  expect(describeUnderMinIsr('orders-3', state, 2000, brokers({ 2: { fenced: true } }))).toBe(
    'orders-3 has 1 in-sync replica of 2 required (broker 2 fenced, broker 3 lags by 1,204 records); ' +
      'start broker 2 or lower min.insync.replicas',
  );
});

it('a refusal for too few in-sync replicas knows the other reasons', () => {
  const state = leader({ replicas: [1, 2, 3, 4, 5], isr: [1] }, { minIsr: 3 });
  state.observeFollower(5, report(5, 10), 10, 0);
  const found = describeUnderMinIsr(
    'a-0',
    state,
    10,
    brokers({ 2: undefined, 3: { inControlledShutdown: true } }),
  );
  expect(found).toBe(
    'a-0 has 1 in-sync replica of 3 required (broker 2 not registered, broker 3 shutting down, ' +
      'broker 4 has not fetched yet, broker 5 is about to join); start broker 2 or lower min.insync.replicas',
  );
});
