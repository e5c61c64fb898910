import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENTRIES_AT_ONCE_MAX } from '../../../src/raft/core/limits.ts';
import { type LogWrite, RaftLog } from '../../../src/raft/core/raft-log.ts';
import { entry, logOf } from './fixture.ts';

/** Logs as a quorum can have them: each epoch is appended once, by one leader, to a prefix of an earlier log. */
function logsOf(history: readonly { from: number; keep: number; count: number }[]): number[][] {
  const logs: number[][] = [[]];
  for (const [index, { from, keep, count }] of history.entries())
    logs.push([...prefix(pick(logs, from), keep), ...Array.from({ length: count }, () => index + 1)]);
  return logs;
}

function pick<T>(items: readonly T[], part: number): T {
  return items[Math.min(items.length - 1, Math.floor(part * items.length))] as T;
}

function prefix<T>(items: readonly T[], part: number): T[] {
  return items.slice(0, Math.round(part * items.length));
}

describe('the flushed offset', () => {
  it('does not rise by a write that completes after the log was cut below its end', () => {
    const log = new RaftLog(logOf());
    for (let offset = 0; offset < 4; offset++) log.append(entry(offset, 1));
    const before = log.takeWrite() as LogWrite;
    log.truncateTo(1);
    for (let offset = 1; offset < 4; offset++) log.append(entry(offset, 2));
    log.completeWrite(before);
    expect(log.flushedOffset).toBe(0);
    const after = log.takeWrite() as LogWrite;
    expect(after).toMatchObject({ truncateFrom: 1, entries: [{ epoch: 2 }, { epoch: 2 }, { epoch: 2 }] });
    log.completeWrite(after);
    expect(log.flushedOffset).toBe(4);
  });

  it('rises by a write under way when only entries behind it were cut', () => {
    const log = new RaftLog(logOf());
    log.append(entry(0, 1));
    const write = log.takeWrite() as LogWrite;
    log.append(entry(1, 1));
    log.truncateTo(1);
    log.completeWrite(write);
    expect(log.flushedOffset).toBe(1);
    expect(log.takeWrite()).toBeUndefined();
  });
});

describe('reconciliation', () => {
  it('ends where two logs agree, whatever they hold, in one round trip for each epoch at most', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    const terms = fc.array(fc.record({ from: part, keep: part, count: fc.integer({ min: 1, max: 4 }) }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(terms, part, part, part, part, (history, mineIs, mineKeeps, theirsIs, theirsKeeps) => {
        const logs = logsOf(history);
        const mine = prefix(pick(logs, mineIs), mineKeeps);
        const theirs = prefix(pick(logs, theirsIs), theirsKeeps);
        const leader = new RaftLog(logOf(...theirs));
        const follower = new RaftLog(logOf(...mine));
        for (let round = 0; ; round++) {
          const diverging = leader.findDivergence(follower.endOffset, follower.lastEpoch);
          if (diverging === undefined) break;
          expect(round).toBeLessThan(9);
          const cut = follower.truncationPoint(diverging);
          expect(cut).toBeLessThan(follower.endOffset);
          follower.truncateTo(cut);
        }
        expect(mine.slice(0, follower.endOffset)).toEqual(theirs.slice(0, follower.endOffset));
      }),
    );
  });
});

describe('the tail in memory', () => {
  it('serves what the whole log would, or says that it no longer can', () => {
    const command = fc.oneof(
      fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 8 }) }),
      fc.record({ kind: fc.constant('truncate' as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ kind: fc.constant('write' as const), count: fc.constant(0) }),
      fc.record({ kind: fc.constant('complete' as const), count: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const log = new RaftLog(logOf(), { bytes: 1_000, entries: 5 });
        const model: ReturnType<typeof entry>[] = [];
        let epoch = 1;
        let write: LogWrite | undefined;
        for (const step of commands) {
          if (step.kind === 'append')
            for (let i = 0; i < step.count; i++) {
              model.push(entry(model.length, epoch));
              log.append(entry(log.endOffset, epoch));
            }
          else if (step.kind === 'truncate') {
            model.length = Math.floor(step.part * model.length);
            log.truncateTo(model.length);
            epoch++;
          } else if (step.kind === 'write') write ??= log.takeWrite();
          else if (write !== undefined) {
            log.completeWrite(write);
            write = undefined;
          }
          expect(log.endOffset).toBe(model.length);
          expect(log.flushedOffset).toBeLessThanOrEqual(log.endOffset);
          expect(log.tailStart).toBeLessThanOrEqual(log.flushedOffset);
          const from = Math.floor(model.length / 2);
          const read = log.readTail(from, 1_000_000);
          if (from < log.tailStart) expect(read).toBeUndefined();
          else expect(read).toEqual(model.slice(from));
        }
      }),
    );
  });

  it('gives at least one entry, however small the bytes allowed', () => {
    const log = new RaftLog(logOf());
    log.append(entry(0, 1, 'a long payload'));
    log.append(entry(1, 1));
    expect(log.readTail(0, 1)).toHaveLength(1);
  });

  it('gives many small entries in parts', () => {
    const log = new RaftLog(logOf());
    for (let offset = 0; offset < ENTRIES_AT_ONCE_MAX + 5; offset++) log.append(entry(offset, 1, ''));
    expect(log.readTail(0, 1_000_000)).toHaveLength(ENTRIES_AT_ONCE_MAX);
    expect(log.takeWrite()?.entries).toHaveLength(ENTRIES_AT_ONCE_MAX);
    expect(log.takeWrite()?.entries).toHaveLength(5);
  });
});
