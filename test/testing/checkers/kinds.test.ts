/** Each kind by its smallest histories: what is an anomaly, and the same with one thing changed, which is none. */
import { describe, expect, it } from 'vitest';
import {
  checkHistory,
  FINDINGS_MAX,
  HistoryRecorder,
  type Operation,
} from '../../../src/testing/checkers/index.ts';
import { Scenario } from './scenario.ts';

const scenario = (): Scenario => new Scenario();

describe('lost-write', () => {
  it('an acknowledged value that a reader passes by is lost', () => {
    const history = scenario().sent('a', 0).sent('b', 1).sent('c', 2).polled('c', '0=a 2=c');
    expect(history.kinds()).toEqual(['int-poll-skip', 'lost-write']);
  });

  it('an acknowledged value under another one is lost', () => {
    const history = scenario().sent('a', 0).unknown('b').polled('c', '0=b');
    expect(history.kinds()).toEqual(['inconsistent-offsets', 'lost-write']);
  });

  it('a value behind everything that was read is not lost', () => {
    expect(scenario().sent('a', 0).sent('b', 1).polled('c', '0=a').kinds()).toEqual([]);
  });

  it('a value before the place where every reader began is not lost', () => {
    expect(scenario().sent('a', 0).sent('b', 1).polled('c', '1=b').kinds()).toEqual([]);
  });

  it('a value whose fate is unknown may be missing', () => {
    expect(scenario().sent('a', 0).unknown('x').sent('b', 1).polled('c', '0=a 1=b').kinds()).toEqual([]);
  });

  it.each([0, 1] as const)('a value acknowledged with acks=%i may be lost', (acks) => {
    const history = scenario().sent('x', 0, { acks }).sent('a', 0).polled('c', '0=a');
    expect(history.kinds()).toEqual([]);
  });

  it('of values acknowledged in several runs, one that no run holds is lost', () => {
    const history = scenario();
    const placed = [
      { partition: 0, offset: 0, count: 2 },
      { partition: 1, offset: 0, count: 1 },
    ];
    history.sending('a b c').ok({ placed });
    history.polled('c', '0=a 1=c').polled('c', '0=x', { partition: 1 }).unknown('x');
    expect(history.kinds()).toContain('lost-write');
  });

  it('several readers pass by a run together', () => {
    const history = scenario();
    const placed = [
      { partition: 0, offset: 0, count: 2 },
      { partition: 1, offset: 0, count: 1 },
    ];
    history.sending('a b c').ok({ placed });
    history.polled('c', '0=a').assigned('d', 1).polled('d', '1=b').unknown('x');
    expect(history.kinds()).toEqual([]);
    expect(history.polled('c', '0=x', { partition: 1 }).kinds()).toEqual([
      'inconsistent-offsets',
      'lost-write',
    ]);
  });

  it('what was read once must be read finally, whoever knows of its send', () => {
    const history = scenario().sent('a', 0).unknown('x').sent('b', 2).polled('c', '0=a 1=x 2=b');
    history.marked('final').assigned('f', 'beginning').polled('f', '0=a 2=b');
    expect(history.kinds()).toEqual(['int-poll-skip', 'lost-write']);
  });

  it('what was acknowledged nobody knows where must be read finally', () => {
    const history = scenario().sentSomewhere('a', { partition: 0 }).unknown('x').marked('final');
    history.assigned('f', 'beginning').polled('f', '0=x');
    expect(history.kinds()).toEqual(['lost-write']);
  });
});

describe('unseen', () => {
  it('what was acknowledged and is behind all final reads is unseen', () => {
    const history = scenario().sent('a', 0).sent('b', 1).polled('c', '0=a 1=b');
    history.marked('final').assigned('f', 'beginning').polled('f', '0=a');
    expect(history.kinds()).toEqual(['unseen']);
    expect(history.check().findings).toMatchObject([{ value: 'b', offset: 1, topic: 't', partition: 0 }]);
  });

  it('what was read and is behind all final reads is unseen', () => {
    const history = scenario().sent('a', 0).unknown('b').polled('c', '0=a 1=b');
    history.marked('final').assigned('f', 'beginning').polled('f', '0=a');
    expect(history.kinds()).toEqual(['unseen']);
  });

  it('what was acknowledged nobody knows where, in a topic that nobody read, is unseen', () => {
    expect(scenario().sentSomewhere('a').marked('final').kinds()).toEqual(['unseen']);
  });

  it('of values acknowledged in runs, one behind all final reads is unseen', () => {
    const history = scenario();
    const run = { partition: 0, offset: 0, count: 1 };
    history.sending('a b').ok({ placed: [run, { ...run, offset: 1 }] });
    history.polled('c', '0=a 1=b').marked('final').assigned('f', 'beginning').polled('f', '0=a');
    expect(history.kinds()).toEqual(['unseen']);
  });

  it('without final reads the unread are counted only', () => {
    const verdict = scenario().sent('a', 0).sent('b', 1).polled('c', '0=a').check();
    expect(verdict).toMatchObject({ valid: true, counters: { unread: 1 } });
  });

  it('what is acknowledged after the mark is not asked for', () => {
    const history = scenario().sent('a', 0).marked('final').assigned('f', 'beginning').polled('f', '0=a');
    expect(history.sent('b', 1).kinds()).toEqual([]);
  });
});

describe('duplicate', () => {
  const twice = (producer?: string): Scenario =>
    scenario()
      .sent('a', 0, producer === undefined ? {} : { producer })
      .polled('c', '0=a 1=a');

  it('a value of an idempotent producer is nowhere twice', () => {
    expect(twice('p#1').kinds()).toEqual(['duplicate']);
  });

  it('a value of another producer may have been repeated, which is counted', () => {
    expect(twice().check()).toMatchObject({ valid: true, counters: { 'tolerated-duplicates': 1 } });
  });

  it('two partitions are two places, too', () => {
    const history = scenario().unknown('a', { producer: 'p#1' });
    history.polled('c', '0=a').polled('c', '0=a', { partition: 1 });
    expect(history.kinds()).toEqual(['duplicate']);
  });

  it('being read twice is not being there twice', () => {
    const history = scenario().sent('a', 0, { producer: 'p#1' }).polled('c', '0=a').polled('d', '0=a');
    expect(history.kinds()).toEqual([]);
  });
});

describe('G1a', () => {
  it('what certainly failed is read by nobody', () => {
    expect(scenario().failed('a').polled('c', '0=a').kinds()).toEqual(['G1a']);
  });

  it('it does not matter whether the read or the failure is known first', () => {
    const history = scenario();
    const pending = history.sending('a');
    history.polled('c', '0=a');
    pending.fail(new Error('refused'));
    expect(history.kinds()).toEqual(['G1a']);
  });

  it('what failed and is nowhere is as it should be', () => {
    expect(scenario().failed('a').sent('b', 0).polled('c', '0=b').kinds()).toEqual([]);
  });
});

describe('precommitted-read', () => {
  it('nothing is read before its send began', () => {
    expect(scenario().polled('c', '0=a').sent('a', 0).kinds()).toEqual(['precommitted-read']);
  });

  it('what was read too early is the value that is sent later', () => {
    const history = scenario().polled('c', '0=a').sent('a', 0, { producer: 'p#1' }).polled('d', '0=a 1=a');
    expect(history.kinds()).toEqual(['duplicate', 'precommitted-read']);
  });

  it('what is read while its send is open may have been written already', () => {
    const history = scenario();
    const pending = history.sending('a');
    history.polled('c', '0=a');
    pending.ok({ placed: [{ partition: 0, offset: 0, count: 1 }] });
    expect(history.kinds()).toEqual([]);
  });
});

describe('phantom', () => {
  it('what nobody sent is a phantom', () => {
    expect(scenario().sent('a', 0).polled('c', '0=a 1=b').kinds()).toEqual(['phantom']);
  });

  it('what was sent to another topic is a phantom', () => {
    const history = scenario().unknown('a', { topic: 'other' }).polled('c', '0=a');
    expect(history.check().findings).toMatchObject([
      { kind: 'phantom', message: expect.stringMatching('but to other') },
    ]);
  });

  it('what was sent to another partition is a phantom', () => {
    const history = scenario().unknown('a', { partition: 1 }).polled('c', '0=a');
    expect(history.kinds()).toEqual(['phantom']);
  });
});

describe('corrupted-payload', () => {
  it('a payload that is not as it was sent is corrupted', () => {
    expect(scenario().sent('a', 0).polled('c', '0=corrupted:a|00').kinds()).toContain('corrupted-payload');
  });
});

describe('inconsistent-offsets', () => {
  it('two readers see the same at an offset', () => {
    const history = scenario().unknown('a').unknown('b').polled('c', '0=a').polled('d', '0=b');
    expect(history.kinds()).toEqual(['inconsistent-offsets']);
  });

  it('an offset is acknowledged once', () => {
    const history = scenario().sent('a', 0, {}, 'p');
    expect(history.sent('b', 0, {}, 'q').kinds()).toContain('inconsistent-offsets');
  });

  it('an acknowledgement tells where a value is', () => {
    const history = scenario().sent('a', 0).unknown('b').polled('c', '0=b 1=a');
    expect(history.kinds()).toEqual(['inconsistent-offsets']);
  });

  it('it does not matter whether the acknowledgement or the read comes first', () => {
    const history = scenario().unknown('b');
    const pending = history.sending('a');
    history.polled('c', '0=b 1=a');
    pending.ok({ placed: [{ partition: 0, offset: 0, count: 1 }] });
    expect(history.kinds()).toEqual(['inconsistent-offsets']);
  });

  it('where one of several values was acknowledged, one of them is', () => {
    const history = scenario();
    const placed = [
      { partition: 0, offset: 0, count: 1 },
      { partition: 1, offset: 0, count: 1 },
    ];
    history.sending('a b').ok({ placed });
    history.unknown('x').polled('c', '0=b').polled('c', '0=x', { partition: 1 });
    expect(history.kinds()).toEqual(['inconsistent-offsets', 'lost-write']);
  });

  it('runs of one acknowledgement do not overlap, nor do those of two', () => {
    const run = { partition: 0, offset: 0, count: 1 };
    const history = scenario();
    history.sending('a b').ok({ placed: [run, run] });
    expect(history.kinds()).toEqual(['inconsistent-offsets']);
    const other = scenario();
    const [one, two] = [other.sending('a b'), other.sending('c d')];
    one.ok({ placed: [run, { ...run, offset: 5 }] });
    two.ok({ placed: [run, { ...run, offset: 6 }] });
    expect(other.kinds()).toEqual(['inconsistent-offsets']);
  });
});

describe('skips and gaps', () => {
  it('a poll that passes by a known record skips', () => {
    const history = scenario().unknown('a b c').polled('d', '1=b').polled('c', '0=a 2=c');
    expect(history.kinds()).toEqual(['int-poll-skip']);
  });

  it('a poll that passes by an offset nobody knows shows a gap', () => {
    expect(scenario().unknown('a b c').polled('c', '0=a 2=c').kinds()).toEqual(['offset-gap']);
  });

  it('what is known only later was there, too', () => {
    const history = scenario().unknown('a b c').polled('c', '0=a 2=c').polled('d', '1=b');
    expect(history.kinds()).toEqual(['int-poll-skip']);
  });

  it('the same between two polls', () => {
    const history = scenario().unknown('a b c').polled('c', '0=a').polled('c', '2=c');
    expect(history.kinds()).toEqual(['offset-gap']);
    expect(history.polled('d', '1=b').kinds()).toEqual(['poll-skip']);
  });

  it('who is assigned to an offset begins there', () => {
    const history = scenario().unknown('a b c').polled('d', '1=b').assigned('c', 'beginning');
    expect(history.polled('c', '2=c').kinds()).toEqual(['poll-skip']);
    const other = scenario().unknown('a b c').polled('d', '1=b').assigned('c', 1);
    expect(other.polled('c', '2=c').kinds()).toEqual(['poll-skip']);
  });

  it('polls that take turns between partitions go on in each', () => {
    const history = scenario().unknown('a b c d').polled('c', '0=a').polled('c', '0=c', { partition: 1 });
    expect(history.polled('c', '1=b').polled('c', '1=d', { partition: 1 }).kinds()).toEqual([]);
  });

  it('a new assignment, a crash and a lost poll leave the place open', () => {
    const begin = (): Scenario => scenario().unknown('a b c').polled('d', '0=a 1=b 2=c').polled('c', '0=a');
    expect(begin().assigned('c', 2).polled('c', '2=c').kinds()).toEqual([]);
    expect(begin().assigned('c').polled('c', '2=c').kinds()).toEqual([]);
    expect(begin().crashed('c').polled('c', '2=c').kinds()).toEqual([]);
    expect(begin().pollLost('c').polled('c', '2=c').kinds()).toEqual([]);
    expect(begin().polled('c', '2=c').kinds()).toEqual(['poll-skip']);
  });

  it('an assignment to one partition leaves the place in another', () => {
    const history = scenario().unknown('a b c').polled('d', '1=b').polled('c', '0=a');
    expect(history.assigned('c', 0, 1).polled('c', '2=c').kinds()).toEqual(['poll-skip']);
  });

  it('deleted records are not missed, kept ones are', () => {
    const begin = (): Scenario =>
      scenario().sent('a', 0).sent('b', 1).sent('c', 2).assigned('c', 'beginning');
    expect(begin().deleted(2).polled('c', '2=c').kinds()).toEqual([]);
    expect(begin().deleted(1).polled('c', '2=c').kinds()).toEqual(['lost-write', 'poll-skip']);
  });

  it('retention explains a log start that was told, and nothing else does', () => {
    const begin = (): Scenario => scenario().sent('a', 0).sent('b', 1).assigned('c', 'beginning');
    const told = begin().polled('c', '1=b', { logStartOffset: 1 });
    expect(told.kinds({ defaults: { retention: true } })).toEqual([]);
    expect(told.kinds()).toEqual(['lost-write', 'poll-skip']);
    expect(
      begin()
        .polled('c', '1=b')
        .kinds({ defaults: { retention: true } }),
    ).toEqual(['lost-write', 'poll-skip']);
    const asked = begin().polled('c', '1=b').toldEnd('c', 2, 1);
    expect(asked.kinds({ topics: { t: { retention: true } } })).toEqual([]);
  });

  it('a compacted topic has holes', () => {
    const history = scenario().sent('a', 0).sent('b', 1).sent('c', 2).assigned('c', 'beginning');
    history.polled('c', '0=a').polled('c', '2=c');
    expect(history.kinds({ topics: { t: { compacted: true } } })).toEqual([]);
    expect(history.kinds({ topics: { other: { compacted: true } } })).toEqual(['lost-write', 'poll-skip']);
  });
});

describe('nonmonotonic polls', () => {
  it('one poll goes forward', () => {
    expect(scenario().unknown('a b').polled('c', '1=b 0=a').kinds()).toEqual(['int-nonmonotonic-poll']);
    expect(scenario().unknown('a').polled('c', '0=a 0=a').kinds()).toEqual(['int-nonmonotonic-poll']);
  });

  it('each poll goes on behind the one before', () => {
    expect(scenario().unknown('a').polled('c', '0=a').polled('c', '0=a').kinds()).toEqual([
      'nonmonotonic-poll',
    ]);
    expect(scenario().unknown('a').polled('c', '0=a').polled('c', '').polled('c', '0=a').kinds()).toEqual([
      'nonmonotonic-poll',
    ]);
    expect(
      scenario().unknown('a').polled('c', '0=a').assigned('c', 'beginning').polled('c', '0=a').kinds(),
    ).toEqual([]);
  });
});

describe('nonmonotonic sends', () => {
  const producer = 'p#1';

  it('values of one send of an idempotent producer lie in its order', () => {
    expect(scenario().unknown('a b', { producer }).polled('c', '0=b 1=a').kinds()).toEqual([
      'int-nonmonotonic-send',
    ]);
    expect(scenario().unknown('a b').polled('c', '0=b 1=a').kinds()).toEqual([]);
  });

  it('its sends lie in the order in which they began, in each partition', () => {
    const history = scenario().unknown('a', { producer }).unknown('b', { producer });
    expect(history.polled('c', '0=b 1=a').kinds()).toEqual(['nonmonotonic-send']);
    const other = scenario().unknown('a', { producer }).unknown('b', { producer });
    expect(other.polled('c', '1=a').polled('c', '0=b', { partition: 1 }).kinds()).toEqual([]);
  });

  describe('with what a partition has lost the producer is forgotten', () => {
    const final = (history: Scenario): Scenario =>
      history.marked('final').assigned('f', 'beginning').polled('f', '0=b 1=a');
    /** The loss comes when as many of the steps are done: 'a' begins, 'b' begins, both are unknown. */
    const lostAfter = (steps: number): Scenario => {
      const history = scenario().polled('c', '');
      const pending: ReturnType<Scenario['sending']>[] = [];
      for (let step = 0; step < 3; step++) {
        if (step === steps) history.lossyFault(1);
        if (step < 2) pending.push(history.sending('ab'[step] as string, { producer }));
        else for (const one of pending) one.info(new Error('timed out'));
      }
      return steps === 3 ? history.lossyFault(1) : history;
    };

    it.each([0, 1, 2])('and what is in flight together may change places, %i', (steps) => {
      const verdict = final(lostAfter(steps)).check();
      expect(verdict).toMatchObject({ valid: true, counters: { 'tolerated-reorderings': 1 } });
    });

    it('what was settled before it may not', () => {
      expect(final(lostAfter(3)).kinds()).toEqual(['nonmonotonic-send']);
    });

    it('what was not in flight together may not', () => {
      const history = scenario().lossyFault(1).unknown('a', { producer }).unknown('b', { producer });
      expect(final(history).kinds()).toEqual(['nonmonotonic-send']);
    });

    it('what nobody settles may', () => {
      const history = scenario().lossyFault(1);
      history.sending('a', { producer });
      expect(final(history.unknown('b', { producer })).kinds()).toEqual([]);
    });

    it('what was sent when all was healed may not', () => {
      const history = scenario().lossyFault(1).marked('final');
      const open = history.sending('a', { producer });
      history.unknown('b', { producer });
      open.info(new Error('timed out'));
      expect(history.assigned('f', 'beginning').polled('f', '0=b 1=a').kinds()).toEqual([
        'nonmonotonic-send',
      ]);
    });

    it('in another partition nothing may', () => {
      const replicas = { topics: { t: { replicas: [[2], [1]] } } };
      expect(final(lostAfter(1)).kinds(replicas)).toEqual(['nonmonotonic-send']);
    });
  });

  it('two producers have no order', () => {
    const history = scenario().unknown('a', { producer }).unknown('b', { producer: 'p#2' });
    expect(history.polled('c', '0=b 1=a').kinds()).toEqual([]);
  });

  it('a missing value does not bring the others out of order', () => {
    const history = scenario()
      .unknown('a', { producer })
      .unknown('b', { producer })
      .unknown('c', { producer });
    expect(history.polled('c', '0=a 1=c').kinds()).toEqual([]);
  });

  it('what is sent after several acknowledgements lies behind all of them, in whatever order they came', () => {
    const history = scenario();
    const late = history.sending('a');
    history.sent('b', 5, {}, 'q');
    late.ok({ placed: [{ partition: 0, offset: 2, count: 1 }] });
    expect(history.kinds()).toEqual([]);
    expect(history.sent('c', 4).kinds()).toEqual(['nonmonotonic-send']);
  });

  it('what is sent after an acknowledgement lies behind it, whoever sends', () => {
    expect(scenario().sent('a', 5, {}, 'p').sent('b', 4, {}, 'q').kinds()).toEqual(['nonmonotonic-send']);
    expect(scenario().sent('a', 5).sent('b', 4, { acks: 1 }).kinds()).toEqual([]);
    const open = scenario();
    const pending = open.sending('b');
    open.sent('a', 5, {}, 'q');
    pending.ok({ placed: [{ partition: 0, offset: 4, count: 1 }] });
    expect(open.kinds()).toEqual([]);
  });
});

describe('wrong-ack', () => {
  it('an acknowledgement is for all values', () => {
    const history = scenario();
    history.sending('a b').ok({ placed: [{ partition: 0, offset: 0, count: 1 }] });
    expect(history.kinds()).toEqual(['wrong-ack']);
  });

  it('an acknowledgement for absurdly many is told as such, and soon', () => {
    const history = scenario();
    history.sending('a').ok({ placed: [{ partition: 0, offset: 0, count: 2 ** 52 }] });
    history.unknown('b').polled('c', '0=a 1=b');
    expect(history.kinds()).toEqual(['wrong-ack']);
  });

  it('an acknowledgement is of the partition that was chosen', () => {
    const history = scenario();
    history.sending('a', { partition: 1 }).ok({ placed: [{ partition: 0, offset: 0, count: 1 }] });
    expect(history.kinds()).toContain('wrong-ack');
  });

  it('it need not say where', () => {
    const history = scenario();
    history.sending('a b').ok({ placed: [{ partition: 0, offset: -1, count: 2 }] });
    expect(history.polled('c', '7=a 8=b').kinds()).toEqual([]);
  });
});

describe('high watermarks', () => {
  it('nothing is read at or above the high watermark', () => {
    expect(scenario().unknown('a').polled('c', '0=a', { highWatermark: 0 }).kinds()).toEqual([
      'uncommitted-read',
    ]);
    expect(scenario().unknown('a').polled('c', '0=a', { highWatermark: 1 }).kinds()).toEqual([]);
  });

  const told = (highWatermark: number, leaderEpoch?: number) => ({
    highWatermark,
    ...(leaderEpoch === undefined ? {} : { leaderEpoch }),
  });

  it('within a leader epoch it does not fall', () => {
    const fallen = scenario().polled('c', '', told(9, 3)).polled('c', '', told(8, 3));
    expect(fallen.kinds()).toEqual(['high-watermark-regression']);
  });

  it('a new leader may know less, and without epochs nobody can tell', () => {
    expect(scenario().polled('c', '', told(9, 3)).polled('c', '', told(8, 4)).kinds()).toEqual([]);
    expect(scenario().polled('c', '', told(9)).polled('c', '', told(8)).kinds()).toEqual([]);
    expect(scenario().polled('c', '', told(9, 3)).polled('d', '', told(8, 3)).kinds()).toEqual([]);
  });
});

describe('stale-read', () => {
  it('who has read a record is told an end behind it', () => {
    const history = scenario().unknown('a b').polled('c', '0=a 1=b');
    expect(history.toldEnd('c', 1).kinds()).toEqual(['stale-read']);
    expect(scenario().unknown('a b').polled('c', '0=a 1=b').toldEnd('c', 2).kinds()).toEqual([]);
  });

  it('an end does not fall for who is told it', () => {
    expect(scenario().toldEnd('c', 5).toldEnd('c', 4).kinds()).toEqual(['stale-read']);
    expect(scenario().toldEnd('c', 5).crashed('c').toldEnd('c', 4).kinds()).toEqual([]);
  });

  it('another one may be told an older end, unless real time is demanded', () => {
    const history = scenario().sent('a', 0).toldEnd('c', 0);
    expect(history.kinds()).toEqual([]);
    expect(history.kinds({ realtimeEnds: true })).toEqual(['stale-read']);
  });

  it('after the mark, real time is demanded', () => {
    const history = scenario().sent('a', 0).marked('final').assigned('f', 'beginning').polled('f', '0=a');
    expect(history.toldEnd('c', 0).kinds()).toEqual(['stale-read']);
  });

  it('what becomes known while the question is open may be missing in the answer', () => {
    const history = scenario();
    const answer = history.askingEnd('c');
    history.sent('a', 0);
    answer(0);
    expect(history.kinds({ realtimeEnds: true })).toEqual([]);
  });

  it('who is assigned to the end does not begin before what it has seen', () => {
    const history = scenario().unknown('a b').polled('c', '0=a 1=b').assigned('c', 'end');
    expect(history.polled('c', '1=b').kinds()).toEqual(['stale-read']);
  });

  it('who is assigned to the end gets everything that is sent afterwards', () => {
    const begin = (): Scenario => scenario().sent('a', 0).assigned('c', 'end').sent('b', 1).sent('d', 2);
    expect(begin().polled('c', '1=b 2=d').kinds()).toEqual([]);
    expect(begin().polled('c', '2=d').kinds()).toEqual(['poll-skip']);
    expect(begin().assigned('c', 'end').sent('e', 3).polled('c', '3=e').kinds()).toEqual([]);
    expect(begin().deleted(2).polled('c', '2=d').kinds()).toEqual([]);
  });
});

describe('the loss budget', () => {
  const lost = (...nodes: number[]): Scenario =>
    scenario()
      .sent('a', 0)
      .sent('b', 1)
      .polled('c', '0=a 1=b')
      .lossyFault(...nodes)
      .sent('x', 1)
      .polled('c', '1=x')
      .polled('d', '0=a 1=x 2=y')
      .unknown('z');
  const two = { defaults: { minInsyncReplicas: 2 } };

  it('as many lossy failures as min.insync.replicas may lose what was acknowledged', () => {
    const history = scenario().sent('a', 0).sent('b', 1).lossyFault(1, 2).sent('x', 1);
    expect(history.polled('c', '0=a 1=x').kinds(two)).toEqual([]);
    expect(history.check(two).counters).toMatchObject({ 'lossy-faults': 1, 'doubted-partitions': 1 });
  });

  it('fewer may not', () => {
    const history = scenario().sent('a', 0).sent('b', 1).lossyFault(1).sent('x', 1).polled('c', '0=a 1=x');
    expect(history.kinds(two)).toEqual(['inconsistent-offsets', 'lost-write', 'nonmonotonic-send']);
  });

  it('what was on no disk may be lost where that was acknowledged, and nowhere else', () => {
    const history = scenario().sent('a', 0).sent('b', 1).powerLoss(1).sent('x', 1).polled('c', '0=a 1=x');
    expect(history.kinds({ defaults: { losesUnsynced: true } })).toEqual([]);
    expect(history.kinds()).toContain('lost-write');
    const differs = scenario()
      .powerLoss(1)
      .marked('final')
      .polled('c', '0=a')
      .polled('d', '0=b')
      .unknown('a b');
    expect(differs.kinds({ defaults: { losesUnsynced: true } })).toContain('inconsistent-offsets');
  });

  it('what it may have lost before anybody knew of the partition is forgiven, too', () => {
    const history = scenario().sentSomewhere('a').unknown('x').lossyFault(1).marked('final');
    history.assigned('f', 'beginning').polled('f', '0=x');
    expect(history.kinds()).toEqual([]);
    expect(history.kinds(two)).toEqual(['lost-write']);
  });

  it('failures add up until everything is whole again', () => {
    const end = (history: Scenario): Scenario => history.sent('x', 1).polled('c', '0=a 1=x');
    const begin = (): Scenario => scenario().sent('a', 0).sent('b', 1).lossyFault(1);
    expect(end(begin().lossyFault(1)).kinds(two)).toEqual([]);
    expect(end(begin().marked('whole').lossyFault(1)).kinds(two)).toContain('lost-write');
  });

  it('only failures of replicas count', () => {
    const history = scenario().sent('a', 0).sent('b', 1).lossyFault(1, 2).sent('x', 1).polled('c', '0=a 1=x');
    const at = (...replicas: number[]) => ({ topics: { t: { minInsyncReplicas: 2, replicas: [replicas] } } });
    expect(history.kinds(at(1, 2, 3))).toEqual([]);
    expect(history.kinds(at(2, 3, 4))).toContain('lost-write');
  });

  it('a partition that turns up after the failure has suffered it, too', () => {
    const history = scenario().lossyFault(1).sent('a', 0).sent('b', 0).polled('c', '0=b');
    expect(history.kinds()).toEqual([]);
    expect(history.check().counters).toMatchObject({ 'doubted-partitions': 1 });
  });

  it('what was judged before the failure stays judged', () => {
    const history = scenario().unknown('a').unknown('b').polled('c', '0=a').polled('d', '0=b').lossyFault(1);
    expect(history.kinds()).toEqual(['inconsistent-offsets']);
    const duplicate = scenario().sent('a', 0, { producer: 'p#1' }).polled('c', '0=a 1=a').lossyFault(1);
    expect(duplicate.kinds()).toEqual(['duplicate']);
    const passed = scenario().sent('a', 0).unknown('b c').polled('c', '0=b').lossyFault(1);
    expect(passed.kinds()).toEqual(['inconsistent-offsets', 'lost-write']);
  });

  it('even then nobody reads what nobody sent, or what certainly failed', () => {
    expect(lost(1).kinds()).toEqual(['phantom']);
    expect(scenario().lossyFault(1).failed('a').polled('c', '0=a').kinds()).toEqual(['G1a']);
    expect(scenario().lossyFault(1).unknown('a b').polled('c', '1=b 0=a').kinds()).toEqual([
      'int-nonmonotonic-poll',
    ]);
  });

  it('at the end all readers see the same', () => {
    const history = scenario().sent('a', 0).sent('b', 1).polled('c', '0=a 1=b').lossyFault(1).sent('x', 1);
    history.marked('final').assigned('f', 'beginning').polled('f', '0=a 1=x');
    expect(history.kinds()).toEqual([]);
    expect(history.assigned('g', 'beginning').polled('g', '0=a 1=b').kinds()).toEqual([
      'inconsistent-offsets',
    ]);
  });

  it('what a client saw before the loss is no measure for what it is told after healing', () => {
    const history = scenario().sent('a', 0).sent('b', 1).polled('c', '0=a 1=b').lossyFault(1).marked('final');
    expect(history.assigned('c', 'beginning').polled('c', '0=a').toldEnd('c', 1).kinds()).toEqual([]);
    const meanwhile = scenario()
      .lossyFault(1)
      .sent('a', 0)
      .sent('b', 1)
      .polled('c', '0=a 1=b')
      .marked('final');
    expect(meanwhile.assigned('c', 'beginning').polled('c', '0=a').toldEnd('c', 1).kinds()).toEqual([]);
  });

  it('what was asked before healing is not measured by what was known before the loss', () => {
    const history = scenario().lossyFault(1).unknown('a b').polled('c', '0=a 1=b');
    const answer = history.askingEnd('c');
    history.marked('final');
    answer(1);
    expect(history.kinds()).toEqual([]);
  });

  it('until all is healed, a reader may go on elsewhere', () => {
    const lossy = (): Scenario => scenario().unknown('a b c').polled('d', '0=a 1=b 2=c').lossyFault(1);
    expect(lossy().polled('c', '0=a').polled('c', '2=c').kinds()).toEqual([]);
    expect(lossy().polled('c', '1=b').polled('c', '0=a').kinds()).toEqual([]);
  });

  it('a reader from before does not say what is there at the end', () => {
    const history = scenario().sent('a', 0).sent('b', 1).polled('c', '0=a').lossyFault(1).unknown('x');
    history.marked('final').polled('c', '1=b').assigned('f', 'beginning').polled('f', '0=a 1=x');
    expect(history.kinds()).toEqual([]);
  });
});

describe('what is no history', () => {
  it('a value is sent to a topic once', () => {
    expect(() => scenario().unknown('a').unknown('a').check()).toThrow('sends "a" to t a second time');
    expect(scenario().unknown('a').unknown('a', { topic: 'other' }).kinds()).toEqual([]);
  });

  const crash = { timeMs: 0, process: 'p', type: 'ok', operation: { f: 'crash' } } as const;

  it('indexes rise', () => {
    const events = [
      { ...crash, index: 3 },
      { ...crash, index: 3 },
    ];
    expect(() => checkHistory(events)).toThrow('event 3 comes after event 3');
  });

  it('what is settled was begun, and only once', () => {
    const operation = { f: 'send', topic: 't', values: ['a'] } as const;
    const settled = { ...crash, index: 2, operation, invokedAt: 1 };
    expect(() => checkHistory([settled])).toThrow('event 2 settles 1, which is no open send');
    const begun = { ...settled, index: 1, type: 'invoke' } as const;
    expect(() => checkHistory([begun, settled, { ...settled, index: 3 }])).toThrow('event 3 settles 1');
  });

  it('what is begun and over happened once, when it was over; a fault when it began', () => {
    const recorder = new HistoryRecorder(() => 0);
    const fault = recorder.invoke('n', { f: 'fault', fault: 'kill', lossy: true });
    const crash = recorder.invoke('c', { f: 'crash' });
    const count = recorder.invoke('n', { f: 'count', name: 'elections', count: 3 });
    const poll = { f: 'poll', polled: [{ topic: 't', partition: 0, records: [[0, 'a']] }] } as const;
    recorder.note('c', poll);
    fault.ok();
    recorder.note('c', poll);
    for (const pending of [crash, count, recorder.invoke('n', { f: 'mark', mark: 'final' })]) pending.ok();
    recorder.note('c', poll);
    const { counters, anomalies } = checkHistory(recorder.events);
    expect(counters).toMatchObject({ faults: 1, crashes: 1, elections: 3, 'polled-finally': 1 });
    expect(anomalies).toEqual({ phantom: 1 });
  });

  it('a mark that is begun marks nothing', () => {
    const recorder = new HistoryRecorder(() => 0);
    recorder.invoke('n', { f: 'mark', mark: 'final' });
    recorder.note('c', { f: 'poll', polled: [{ topic: 't', partition: 0, records: [[0, 'a']] }] });
    expect(checkHistory(recorder.events).counters['polled-finally']).toBe(0);
  });

  it('operations are of known kinds', () => {
    const operation = { f: 'dance' } as unknown as Operation;
    expect(() => checkHistory([{ ...crash, index: 0, operation }])).toThrow('is of no known kind');
  });
});

describe('the verdict', () => {
  it('fails when a required counter is zero: what did not happen was not tested', () => {
    const history = scenario().sent('a', 0);
    expect(history.check({ required: ['acked'] })).toMatchObject({ valid: true, missing: [] });
    expect(checkHistory([])).toMatchObject({ valid: false, findings: [], missing: ['acked', 'polled'] });
    const missing = history.check({ required: ['acked', 'fault:kill', 'elections'] });
    expect(missing).toMatchObject({ valid: false, missing: ['fault:kill', 'elections'] });
  });

  it('counts allowed kinds, and passes', () => {
    const history = scenario().sent('a', 0).polled('c', '0=a 1=b');
    expect(history.check({ allowed: ['phantom'] })).toMatchObject({
      valid: true,
      findings: [],
      anomalies: { phantom: 1 },
    });
  });

  it('keeps the first findings of a kind and counts them all', () => {
    const history = scenario();
    for (let i = 0; i < FINDINGS_MAX + 5; i++) history.polled('c', `${i}=phantom-${i}`);
    const { findings, anomalies } = history.check();
    expect(findings.length).toBe(FINDINGS_MAX);
    expect(anomalies).toEqual({ phantom: FINDINGS_MAX + 5 });
  });

  it('names the events that show it', () => {
    const history = scenario().sent('a', 0).unknown('b').polled('c', '0=a').polled('d', '0=b');
    expect(history.check().findings).toMatchObject([
      { kind: 'inconsistent-offsets', topic: 't', partition: 0, offset: 0, value: 'b', events: [1, 7] },
    ]);
  });

  it('tells what was there to be judged', () => {
    const history = scenario().sent('a b', 0).failed('c').unknown('d e').assigned('r', 'beginning');
    history.polled('r', '0=a 1=b 2=d').polled('r', '').toldEnd('r', 3).crashed('r').lossyFault(7);
    history.sending('f');
    expect(history.check({ defaults: { minInsyncReplicas: 2 } }).counters).toEqual({
      events: 17,
      sends: 4,
      sent: 6,
      acked: 2,
      failed: 1,
      unknown: 3,
      recovered: 1,
      unread: 0,
      'tolerated-duplicates': 0,
      'tolerated-reorderings': 0,
      polls: 2,
      'empty-polls': 1,
      polled: 3,
      'polled-finally': 0,
      assigns: 1,
      ends: 1,
      crashes: 1,
      faults: 1,
      'fault:power-loss': 1,
      'lossy-faults': 1,
      'doubted-partitions': 0,
    });
  });
});
