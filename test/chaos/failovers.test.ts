import { expect, it } from 'vitest';
import { failoverLines } from './failover-report.ts';
import { Failovers } from './failovers.ts';

function started() {
  const clock = { nowMs: 1000 };
  const failovers = new Failovers({ topic: 't', partitions: 2, nowMs: () => clock.nowMs });
  const ack = (atMs: number, sentMs: number, ...partitions: number[]): void => {
    clock.nowMs = atMs;
    for (const partition of partitions) failovers.handleAck('t', partition, sentMs);
  };
  return { clock, failovers, ack };
}

it('a kill of what can be done without takes from the kill to the first ack of the last partition', () => {
  const { failovers, ack } = started();
  const kill = failovers.note('kill-broker', 'spare', 'broker-1');
  ack(1200, 1100, 0);
  ack(1700, 1100, 0, 1);
  expect(kill).toMatchObject({ killClass: 'spare', tookMs: 700 });
});

it('an ack of what was sent before the kill, or of another topic, says nothing', () => {
  const { failovers, ack } = started();
  const kill = failovers.note('kill-broker', 'spare', 'broker-1');
  ack(1200, 1000, 0, 1);
  failovers.handleAck('other', 0, 1100);
  failovers.handleAck('other', 1, 1100);
  expect(kill.tookMs).toBeUndefined();
});

it('a kill of what is needed takes from the start of the last node', () => {
  const { clock, failovers, ack } = started();
  const kill = failovers.note('kill-all', 'needed', 'all');
  ack(1100, 1050, 0);
  clock.nowMs = 5000;
  failovers.noteRestart(kill);
  ack(6500, 1300, 1);
  expect(kill).toMatchObject({ killClass: 'needed', tookMs: 1500, wasNeedless: false });
});

it('what stopped nothing although it is needed is counted apart', () => {
  const { failovers, ack } = started();
  const kill = failovers.note('kill-two-controllers', 'needed', 'two');
  ack(1100, 1050, 0, 1);
  expect(kill.wasNeedless).toBe(true);
  expect(failoverLines(failovers, 0)[1]).toBe(
    'KILLS OF WHAT IT NEEDS, from the start of the last node again: 0 times; 1 more that stopped nothing',
  );
});

it('a disturbance before the first ack puts a kill on top, one after it does not', () => {
  const { failovers, ack } = started();
  const early = failovers.note('kill-broker', 'spare', 'broker-1');
  ack(1200, 1100, 0, 1);
  failovers.disturb();
  const late = failovers.note('kill-all', 'needed', 'all');
  failovers.disturb();
  ack(9000, 1300, 0, 1);
  expect(early).toMatchObject({ killClass: 'spare', tookMs: 200 });
  expect(late).toMatchObject({ killClass: 'on-top', tookMs: 7800 });
});

it('a kill before the first ack of another puts both on top', () => {
  const { failovers } = started();
  const one = failovers.note('kill-broker', 'spare', 'broker-1');
  const other = failovers.note('kill-leader', 'spare', 'broker-2');
  expect([one.killClass, other.killClass]).toEqual(['on-top', 'on-top']);
});

it('what went wrong is over when each partition acknowledges what was sent since', () => {
  const { clock, failovers, ack } = started();
  expect(failovers.isIdle).toBe(false);
  ack(1200, 1100, 0, 1);
  expect(failovers.isIdle).toBe(true);
  clock.nowMs = 3000;
  failovers.calm();
  ack(3100, 2900, 0, 1);
  ack(3200, 3100, 1);
  expect(failovers.isIdle).toBe(false);
  ack(3300, 3200, 0);
  expect(failovers.isIdle).toBe(true);
});

it('each that took too long has a line of its own, by when, who and which partition', () => {
  const { failovers, ack } = started();
  failovers.note('kill-broker', 'spare', 'broker-1').sight = '1: no leader';
  ack(1200, 1100, 0);
  ack(3001, 1100, 1);
  expect(failoverLines(failovers, 500)).toContain(
    '  SLOW at 0.5 s, kill-broker of broker-1: took 2001 ms (partition: ms 0: 200, 1: 2001) 1: no leader',
  );
});

it('it says how each partition was refused, and until when', () => {
  const { clock, failovers, ack } = started();
  failovers.note('kill-broker', 'spare', 'broker-1');
  ack(1200, 1100, 0);
  for (const atMs of [1100, 1400]) {
    clock.nowMs = atMs;
    failovers.handleRefusal('t', 1, 'NOT_LEADER_OR_FOLLOWER');
    failovers.handleRefusal('t', 0, 'of a partition that serves again');
    failovers.handleRefusal('other', 1, 'of another topic');
  }
  ack(3001, 1100, 1);
  expect(failoverLines(failovers, 500).join()).toContain(
    '(partition: ms 0: 200, 1: 2001) refused (ms from the kill): 1: NOT_LEADER_OR_FOLLOWER 2 times until 400',
  );
});

it('one that never ended is no figure, and named', () => {
  const { failovers } = started();
  failovers.note('kill-broker', 'spare', 'broker-1');
  expect(failoverLines(failovers, 1000)).toContain('  kill-broker: 0 times; 1 more without an end');
  expect(failoverLines(failovers, 1000).join()).toContain('never ended');
});
