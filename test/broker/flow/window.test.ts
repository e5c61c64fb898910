import { describe, expect, it } from 'vitest';
import { Window } from '../../../src/broker/flow/window.ts';
import { settle } from '../../../src/testing/twins/scheduler.ts';

describe('window', () => {
  it('is full by count or by bytes', () => {
    const window = new Window({ countMax: 2, bytesMax: 100 });
    window.take(10);
    expect(window.full).toBe(false);
    window.take(10);
    expect(window.full).toBe(true);
    window.give(10);
    window.take(90);
    window.give(10);
    expect(window.full).toBe(false);
    window.take(10);
    expect(window.full).toBe(true);
  });

  it('is full when the one it is part of is, and drains with it', async () => {
    const all = new Window({ countMax: 100, bytesMax: 100 });
    const [mine, other] = [
      new Window({ countMax: 9, bytesMax: 90 }, all),
      new Window({ countMax: 9, bytesMax: 90 }, all),
    ];
    mine.take(50);
    other.take(60);
    expect([mine.full, other.full, mine.overrun]).toEqual([true, true, false]);
    let drained = false;
    const waiting = mine.drained().then(() => {
      drained = true;
    });
    await settle();
    expect(drained).toBe(false);
    other.give(60);
    await waiting;
    expect(mine.full).toBe(false);
  });

  it('cannot be given back more than was taken', () => {
    const window = new Window({ countMax: 2, bytesMax: 100 });
    window.take(5);
    expect(() => window.give(6)).toThrow('more given back than taken');
  });
});
