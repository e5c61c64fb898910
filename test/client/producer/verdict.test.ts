import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorName } from '../../../src/base/index.ts';
import { BLIND_FAILURES_MAX, type JudgedBatch, judge } from '../../../src/client/producer/verdict.ts';

const batch: JudgedBatch = { count: 10, sequenced: true, wasFirst: true, doubt: undefined, blindFailures: 0 };
const plain: JudgedBatch = { ...batch, sequenced: false };
const doubted: JudgedBatch = { ...batch, doubt: 'NETWORK_EXCEPTION' };

describe('judge', () => {
  it('takes a repetition the broker recognised for a success', () => {
    expect(judge('NONE', batch)).toEqual({ kind: 'done' });
    expect(judge('DUPLICATE_SEQUENCE_NUMBER', batch)).toEqual({ kind: 'done' });
  });

  it('repeats every retriable error, and notes a doubt exactly when the error is indefinite', () => {
    for (const [name, { retriable, definite }] of Object.entries(ERRORS)) {
      if (!retriable) continue;
      const verdict = judge(name as ErrorName, batch);
      expect(verdict, name).toEqual(definite ? { kind: 'retry' } : { kind: 'retry', doubt: name });
    }
  });

  it('never resequences for an error that is not about sequences', () => {
    const sequenceErrors = ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH'];
    for (const name of Object.keys(ERRORS) as ErrorName[])
      if (judge(name, batch).kind === 'resequence') expect(sequenceErrors).toContain(name);
  });

  it('resequences only a batch that was first and is not in doubt', () => {
    expect(judge('OUT_OF_ORDER_SEQUENCE_NUMBER', batch)).toEqual({ kind: 'resequence' });
    expect(judge('OUT_OF_ORDER_SEQUENCE_NUMBER', { ...batch, wasFirst: false })).toEqual({ kind: 'retry' });
    expect(judge('OUT_OF_ORDER_SEQUENCE_NUMBER', doubted)).toEqual({
      kind: 'fail',
      code: 'NETWORK_EXCEPTION',
    });
    expect(judge('UNKNOWN_PRODUCER_ID', doubted)).toEqual({ kind: 'fail', code: 'NETWORK_EXCEPTION' });
  });

  it('keeps a definite refusal indefinite when an earlier copy is in doubt', () => {
    expect(judge('INVALID_RECORD', batch)).toEqual({ kind: 'fail', code: 'INVALID_RECORD' });
    expect(judge('INVALID_RECORD', doubted)).toEqual({ kind: 'fail', code: 'NETWORK_EXCEPTION' });
  });

  it('repeats after "the server failed" a bounded number of times, and without a sequence not at all', () => {
    expect(judge('UNKNOWN_SERVER_ERROR', batch)).toEqual({ kind: 'retry', doubt: 'UNKNOWN_SERVER_ERROR' });
    const tired = { ...batch, blindFailures: BLIND_FAILURES_MAX };
    expect(judge('UNKNOWN_SERVER_ERROR', tired)).toEqual({ kind: 'fail', code: 'UNKNOWN_SERVER_ERROR' });
    expect(judge('UNKNOWN_SERVER_ERROR', plain)).toEqual({ kind: 'fail', code: 'UNKNOWN_SERVER_ERROR' });
  });

  it('splits what is too large unless it is a single record', () => {
    expect(judge('MESSAGE_TOO_LARGE', batch)).toEqual({ kind: 'split' });
    expect(judge('MESSAGE_TOO_LARGE', { ...batch, count: 1 })).toEqual({
      kind: 'fail',
      code: 'MESSAGE_TOO_LARGE',
    });
  });
});
