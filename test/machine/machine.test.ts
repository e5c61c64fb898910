import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/base/index.ts';
import {
  accept,
  acceptEach,
  type CommittedEntry,
  type Decision,
  Machine,
  type MachineAppend,
  ReplayFailure,
  refuse,
} from '../../src/machine/index.ts';

/** The state is a list of words; a record adds one. */
type Words = readonly string[];

class Fixture {
  readonly log: string[][] = [];
  readonly outcomes: string[] = [];
  appendResult: MachineAppend['kind'] = 'appended';
  appendsLeft = 100;
  /** Entries below were handed to the machine as committed. */
  committed = 0;
  epoch = 1;
  nowMs = 0;
  readonly machine: Machine<Words, string>;

  constructor(limits: { queueMax?: number; parkedMax?: number; recordsMax?: number } = {}) {
    this.machine = new Machine<Words, string>({
      empty: [],
      replay: (words, word) => {
        if (word === 'poison') throw new Error('cannot be replayed');
        return [...words, word];
      },
      advance: (words) => words,
      encode: (words) => new TextEncoder().encode(words.join(' ')),
      decode: (payload) => new TextDecoder().decode(payload).split(' '),
      log: {
        nextOffset: () => this.log.length,
        append: (_, payload) => {
          if (this.appendResult !== 'appended') return { kind: this.appendResult };
          if (this.appendsLeft === 0) return { kind: 'back-pressure' };
          this.appendsLeft -= 1;
          this.log.push(new TextDecoder().decode(payload).split(' '));
          return { kind: 'appended', offset: this.log.length - 1 };
        },
      },
      queueMax: 10,
      parkedMax: 10,
      recordsMax: 3,
      ...limits,
    });
  }

  lead(epoch = 1): this {
    this.epoch = epoch;
    this.machine.lead(
      epoch,
      this.event('activate', () => accept([], 'active')),
      this.nowMs,
    );
    return this;
  }

  event(
    name: string,
    decide: (words: Words, offset: number) => Decision<string, string>,
    expiresAtMs = 1000,
  ) {
    return {
      expiresAtMs,
      decide,
      complete: (outcome: { kind: string; reply?: string; offset?: number; error?: ApiError }) => {
        this.outcomes.push(
          outcome.kind === 'done'
            ? `${name}: ${outcome.reply} @${outcome.offset}`
            : `${name}: ${outcome.error?.code}: ${outcome.error?.message}`,
        );
      },
    };
  }

  add(name: string, ...words: string[]): void {
    this.machine.submit(
      this.event(name, () => accept(words, 'ok')),
      this.nowMs,
    );
  }

  commit(count = this.log.length - this.committed): void {
    const entries = this.log.slice(this.committed, this.committed + count).map(
      (words, index): CommittedEntry => ({
        offset: this.committed + index,
        epoch: this.epoch,
        kind: 'data',
        payload: new TextEncoder().encode(words.join(' ')),
      }),
    );
    this.committed += count;
    this.machine.commit(entries, this.nowMs);
  }
}

describe('a machine that leads', () => {
  it('decides on what is appended, replies when it is committed', () => {
    const f = new Fixture().lead();
    f.add('first', 'a');
    f.machine.submit(
      f.event('second', (words) => accept(['b'], words.join('+'))),
      0,
    );
    expect(f.machine.speculative).toEqual(['a', 'b']);
    expect(f.machine.committed).toEqual([]);
    expect(f.outcomes).toEqual(['activate: active @0']);
    f.commit(1);
    expect(f.machine.committed).toEqual(['a']);
    expect(f.outcomes.slice(1)).toEqual(['first: ok @1']);
    f.commit(1);
    expect(f.outcomes.slice(2)).toEqual(['second: a @2']);
  });

  it('tells a decision the offset its records get', () => {
    const f = new Fixture().lead();
    f.add('first', 'a');
    f.machine.submit(
      f.event('second', (_, offset) => accept([`epoch-${offset}`], String(offset))),
      0,
    );
    expect(f.log).toEqual([['a'], ['epoch-1']]);
  });

  it('holds a reply without records, and a refusal, until what it has seen is committed', () => {
    const f = new Fixture().lead();
    f.add('create', 'topic');
    f.machine.submit(
      f.event('look', (words) => accept([], `sees ${words}`)),
      0,
    );
    f.machine.submit(
      f.event('create again', () => refuse('TOPIC_ALREADY_EXISTS', 'it exists')),
      0,
    );
    expect(f.outcomes).toHaveLength(1);
    f.commit();
    expect(f.outcomes.slice(1)).toEqual([
      'create: ok @1',
      'look: sees topic @1',
      'create again: TOPIC_ALREADY_EXISTS: it exists',
    ]);
  });

  it('drops the speculative image when it loses leadership, and tells parked from queued replies', () => {
    const f = new Fixture().lead();
    f.add('appended', 'a');
    f.appendResult = 'back-pressure';
    f.add('queued', 'b');
    f.machine.renounce({ code: 'NOT_CONTROLLER', message: 'node 2 leads' } as ApiError);
    expect(f.machine.speculative).toEqual([]);
    expect(f.outcomes.slice(1)).toEqual([
      'appended: NOT_CONTROLLER: node 2 leads; the outcome is unknown, it may still take effect',
      'queued: NOT_CONTROLLER: node 2 leads; nothing was done',
    ]);
    f.commit();
    expect(f.machine.committed).toEqual(['a']);
    expect(f.outcomes).toHaveLength(3);
  });

  it('that leads again decides on what is committed, whatever it wrote in an earlier office', () => {
    const f = new Fixture().lead();
    f.add('first', 'a');
    f.commit();
    f.add('lost', 'b');
    f.machine.renounce(new ApiError('NOT_CONTROLLER', 'node 2 leads'));
    f.log.length = f.committed;
    f.lead(2);
    expect(f.machine.speculative).toEqual(['a']);
    f.add('kept', 'c');
    f.commit();
    expect(f.machine.committed).toEqual(['a', 'c']);
  });

  it('decides the activation before anything that is queued', () => {
    const f = new Fixture();
    f.machine.lead(
      1,
      f.event('activate', () => {
        f.add('second', 'b');
        return accept(['a'], 'active');
      }),
      0,
    );
    expect(f.log).toEqual([['a'], ['b']]);
  });

  it('waits for the log when it pushes back, and goes on at the next commit', () => {
    const f = new Fixture().lead();
    f.add('first', 'a');
    f.appendResult = 'back-pressure';
    f.add('second', 'b');
    expect(f.machine.speculative).toEqual(['a']);
    f.appendResult = 'appended';
    f.commit();
    expect(f.machine.speculative).toEqual(['a', 'b']);
  });

  it('refuses an event beyond the queue limit without deciding it', () => {
    const f = new Fixture({ queueMax: 2 }).lead();
    f.appendResult = 'back-pressure';
    for (const name of ['a', 'b', 'c']) f.add(name, name);
    expect(f.outcomes.slice(1)).toEqual([
      'c: RESOURCE_EXHAUSTED: 2 requests are waiting already; try again later',
    ]);
  });

  it('lets events wait while too many replies are parked', () => {
    const f = new Fixture({ parkedMax: 2 }).lead();
    for (const name of ['a', 'b', 'c']) f.add(name, name);
    expect(f.machine.speculative).toEqual(['a', 'b']);
    f.commit();
    expect(f.machine.speculative).toEqual(['a', 'b', 'c']);
  });

  it('does not let replies that need not wait fill the parking', () => {
    const f = new Fixture({ parkedMax: 1 }).lead();
    f.appendResult = 'back-pressure';
    f.add('writes', 'a');
    for (const name of ['x', 'y']) f.add(name);
    f.appendResult = 'appended';
    f.add('z');
    f.commit();
    expect(f.outcomes.map((line) => line.split(':')[0])).toEqual(['activate', 'writes', 'x', 'y', 'z']);
  });

  it('fails an event that waited past its deadline without deciding it', () => {
    const f = new Fixture().lead();
    f.add('first', 'a');
    f.appendResult = 'back-pressure';
    f.add('late', 'b');
    f.appendResult = 'appended';
    f.nowMs = 1000;
    f.commit();
    expect(f.outcomes.at(-1)).toBe('late: REQUEST_TIMED_OUT: the request waited too long; nothing was done');
    expect(f.log).toEqual([['a']]);
  });

  it('refuses more records at once than an entry may hold, writes none of them', () => {
    const f = new Fixture().lead();
    f.add('big', 'a', 'b', 'c', 'd');
    expect(f.outcomes.at(-1)).toBe('big: POLICY_VIOLATION: 4 records at once; at most 3 are allowed');
    expect(f.log).toEqual([]);
  });

  it('splits records that may be split, and replies when the last is committed', () => {
    const f = new Fixture().lead();
    f.machine.submit(
      f.event('many', () => acceptEach(['a', 'b', 'c', 'd', 'e', 'f', 'g'], 'ok')),
      0,
    );
    expect(f.log).toEqual([['a', 'b', 'c'], ['d', 'e', 'f'], ['g']]);
    f.commit(2);
    expect(f.outcomes).toHaveLength(1);
    f.commit(1);
    expect(f.outcomes.at(-1)).toBe('many: ok @3');
  });

  it('decides a split event once, even when the log pauses in the middle of it', () => {
    const f = new Fixture({ recordsMax: 1 }).lead();
    let decisions = 0;
    f.appendsLeft = 1;
    f.machine.submit(
      f.event('many', () => {
        decisions += 1;
        return acceptEach(['a', 'b'], 'ok');
      }),
      0,
    );
    expect(f.log).toEqual([['a']]);
    f.appendsLeft = 10;
    f.nowMs = 5000;
    f.commit();
    expect(f.log).toEqual([['a'], ['b']]);
    f.commit();
    expect(f.outcomes.slice(1)).toEqual(['many: ok @2']);
    expect(decisions).toBe(1);
  });

  it('does not say that nothing was done of an event it has appended a part of', () => {
    const f = new Fixture({ recordsMax: 1 }).lead();
    f.appendsLeft = 1;
    f.machine.submit(
      f.event('many', () => acceptEach(['a', 'b'], 'ok')),
      0,
    );
    f.add('next', 'c');
    f.machine.renounce(new ApiError('NOT_CONTROLLER', 'over'));
    expect(f.outcomes.slice(1)).toEqual([
      'many: NOT_CONTROLLER: over; the outcome is unknown, it may still take effect',
      'next: NOT_CONTROLLER: over; nothing was done',
    ]);
  });

  it('never writes what cannot be replayed', () => {
    const f = new Fixture().lead();
    expect(() => f.add('bad', 'poison')).toThrow(ReplayFailure);
    expect(f.log).toEqual([]);
  });
});

describe('a machine that follows', () => {
  it('replays what is committed, each entry once and in order', () => {
    const f = new Fixture();
    f.log.push(['a', 'b'], ['c']);
    f.commit();
    expect(f.machine.committed).toEqual(['a', 'b', 'c']);
    f.committed = 1;
    expect(() => f.commit()).toThrow(/each once/);
  });

  it('cannot go on behind a record that cannot be replayed', () => {
    const f = new Fixture();
    f.log.push(['poison']);
    expect(() => f.commit()).toThrow(ReplayFailure);
  });

  it('leads from what earlier leaders committed', () => {
    const f = new Fixture();
    f.log.push(['a']);
    f.commit();
    f.lead();
    f.add('next', 'b');
    expect(f.machine.speculative).toEqual(['a', 'b']);
  });
});
