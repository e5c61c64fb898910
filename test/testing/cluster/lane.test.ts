import { expect, it } from 'vitest';
import { Lane } from '../../../src/testing/cluster/faults/lane.ts';
import { Scheduler, VirtualTimers } from '../../../src/testing/twins/index.ts';

it('what is sent while a lane delivers what it held comes after that', () => {
  const lane = new Lane(new VirtualTimers(new Scheduler()), 1);
  const came: string[] = [];
  lane.run(() => {
    came.push('first');
    lane.run(() => came.push('third'));
  });
  lane.run(() => came.push('second'));
  lane.unblock();
  expect(came).toEqual(['first', 'second', 'third']);
});

it('a lane that is blocked again while it delivers what it held keeps the rest', () => {
  const lane = new Lane(new VirtualTimers(new Scheduler()), 1);
  const came: string[] = [];
  lane.run(() => {
    came.push('first');
    lane.block();
  });
  lane.run(() => came.push('second'));
  lane.unblock();
  expect(came).toEqual(['first']);
  lane.unblock();
  expect(came).toEqual(['first', 'second']);
});
