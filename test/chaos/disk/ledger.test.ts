import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { cutFile, type FileCut, type FileState, Ledger, type Undo } from './ledger.ts';

/** Draws that lose everything that may be lost, or nothing of it. */
const losing = (draw: number) => ({
  float: () => draw,
  integer: (min: number, max: number) => (draw < 0.5 ? min : max - 1),
  bytes: (count: number) => new Uint8Array(count),
});
const ALL = losing(0);

function ledgerOf(...events: string[]): Ledger {
  const ledger = new Ledger();
  ledger.read(events.map((event) => `${event.replaceAll(' ', '\t')}\n`).join(''));
  return ledger;
}

/** A file system of names alone. */
function carryOut(names: Set<string>, undos: readonly Undo[]): string[] {
  for (const undo of undos) {
    const below = [...names].filter((name) => 'path' in undo && name.startsWith(`${undo.path}/`));
    if (undo.kind === 'remove' || undo.kind === 'remove-tree') for (const one of below) names.delete(one);
    if (undo.kind === 'rename') {
      names.delete(undo.from);
      names.add(undo.to);
    } else if (undo.kind === 'remove' || undo.kind === 'remove-tree') names.delete(undo.path);
    else names.add(undo.path);
  }
  return [...names].sort();
}

describe('names', () => {
  it('a file is lost, however well synced itself, while its directory was not', () => {
    const ledger = ledgerOf('C 1 77 /d/a', 'S 3 77 10 2');
    expect(ledger.undoNames(ALL)).toEqual([{ kind: 'remove', path: '/d/a' }]);
  });

  it('a sync of the directory makes durable what was there when it began, and nothing later', () => {
    const ledger = ledgerOf('C 1 77 /d/a', 'C 3 78 /d/b', 'Y 4 /d 2');
    expect(ledger.undoNames(ALL)).toEqual([{ kind: 'remove', path: '/d/b' }]);
  });

  it('a sync of a directory says nothing about the name of the directory itself', () => {
    const ledger = ledgerOf('M 1 /r/d', 'C 2 77 /r/d/a', 'Y 4 /r/d 3');
    expect(ledger.undoNames(ALL)).toEqual([{ kind: 'remove-tree', path: '/r/d' }]);
  });

  it('a rename that is lost brings back both names, also of what had been there', () => {
    const ledger = ledgerOf('C 1 77 /d/a', 'Y 3 /d 2', 'C 4 78 /d/a.tmp', 'R 5 /d/a.tmp /d/a 9-1');
    expect(ledger.undoNames(ALL)).toEqual([
      { kind: 'rename', from: '/d/a', to: '/d/a.tmp' },
      { kind: 'restore', shadow: '9-1', path: '/d/a' },
      { kind: 'remove', path: '/d/a.tmp' },
    ]);
  });

  it('what was made before, under a name that a rename took, is known by its link until the rename is lost', () => {
    const ledger = ledgerOf('C 1 77 /d/a', 'C 2 78 /d/b', 'R 3 /d/b /d/a 9-1');
    expect(carryOut(new Set(['/d/a']), ledger.undoNames(ALL))).toEqual([]);
  });

  it('a removal that is lost brings the file back', () => {
    const ledger = ledgerOf('U 1 /d/a 9-1', 'D 2 /r/e');
    expect(ledger.undoNames(ALL)).toEqual([
      { kind: 'make-directory', path: '/r/e' },
      { kind: 'restore', shadow: '9-1', path: '/d/a' },
    ]);
  });

  it('what happened in a directory that got another name is undone under that name', () => {
    const ledger = ledgerOf('C 1 77 /r/d/a', 'R 2 /r/d /r/e -', 'Y 4 /r 3');
    expect(ledger.undoNames(ALL)).toEqual([{ kind: 'remove', path: '/r/e/a' }]);
  });

  it('a sync of a directory under its new name covers what was done under the old one', () => {
    const ledger = ledgerOf('C 1 77 /r/d/a', 'R 2 /r/d /r/e -', 'Y 4 /r/e 3', 'Y 6 /r 5');
    expect(ledger.undoNames(ALL)).toEqual([]);
  });

  it('events of an earlier process are older than all of a later one', () => {
    const ledger = ledgerOf('C 900 77 /d/a');
    ledger.read('Y\t2\t/d\t1\n');
    expect(ledger.undoNames(ALL)).toEqual([]);
  });

  it('a torn last line is ignored', () => {
    const ledger = new Ledger();
    ledger.read('C\t1\t77\t/d/a\nY\t3\t/');
    expect(ledger.pendingNames).toBe(1);
  });

  it('of the changes of one directory the oldest ones stay, whatever is drawn', () => {
    const seeds = fc.integer({ min: 0, max: 2 ** 31 });
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 8 }), (seed, count) => {
        const made = Array.from({ length: count }, (_, i) => `/d/${i}`);
        const ledger = ledgerOf(...made.map((path, i) => `C ${i + 1} ${i + 70} ${path}`));
        const left = carryOut(new Set(made), ledger.undoNames(new SeededRandom(seed)));
        expect(left).toEqual(made.slice(0, left.length));
      }),
    );
  });
});

describe('bytes', () => {
  const apply = (bytes: Buffer, { keepBytes, restore, zero }: FileCut): Buffer => {
    const result = Buffer.alloc(Math.max(keepBytes, bytes.length));
    bytes.copy(result);
    for (const { offset, bytes: old } of restore) old.copy(result, offset);
    for (const { from, to } of zero) result.fill(0, from, to);
    return result.subarray(0, keepBytes);
  };

  it('a new file has nothing durable until it is synced', () => {
    const state = ledgerOf('C 1 77 /d/a').fileState(77) as FileState;
    expect(cutFile(state, 10, losing(0.9))).toEqual({ keepBytes: 0, restore: [], zero: [] });
  });

  it('what was synced stays byte for byte, whatever is drawn, when nothing was written over it', () => {
    const numbers = fc.integer({ min: 0, max: 3000 });
    fc.assert(
      fc.property(numbers, numbers, fc.integer(), (durableBytes, more, seed) => {
        const bytes = Buffer.alloc(durableBytes + more, 1);
        const cut = cutFile({ durableBytes, preImages: [] }, bytes.length, new SeededRandom(seed));
        const after = apply(bytes, cut);
        expect(after.subarray(0, durableBytes).equals(bytes.subarray(0, durableBytes))).toBe(true);
        expect(after.length).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });

  it('bytes written over durable ones are as before, the oldest of several', () => {
    const state = ledgerOf('C 1 77 /d/a', 'S 3 77 4 2', 'P 4 77 1 6161', 'P 5 77 1 6262').fileState(77);
    const cut = cutFile(state as FileState, 4, losing(0.9));
    expect(apply(Buffer.from('xyzx'), cut).toString()).toBe('xaax');
  });

  it('a sync settles what was written over before it began', () => {
    const state = ledgerOf('C 1 77 /d/a', 'P 2 77 0 61', 'P 4 77 1 62', 'S 5 77 2 3').fileState(77);
    expect((state as FileState).preImages.map(({ offset }) => offset)).toEqual([1]);
  });

  it('what was cut off without a sync is there again', () => {
    const state = ledgerOf('C 1 77 /d/a', 'S 3 77 6 2', 'P 4 77 2 63646566').fileState(77);
    const cut = cutFile(state as FileState, 2, losing(0.9));
    expect(apply(Buffer.from('ab'), cut).toString()).toBe('abcdef');
  });

  it('what was there before the run is durable', () => {
    const ledger = new Ledger();
    ledger.reset(new Map([[77, 5]]));
    expect(cutFile(ledger.fileState(77) as FileState, 9, losing(0.9)).keepBytes).toBe(5);
  });
});
