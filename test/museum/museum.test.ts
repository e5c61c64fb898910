import { stripTypeScriptTypes } from 'node:module';
import { describe, expect, it } from 'vitest';
import { loadExhibits } from './catalogue.ts';
import { lawOf } from './law.ts';
import { patchedFiles, Rotted } from './patch.ts';
import { scoreOf } from './report.ts';
import { ROOT } from './tree.ts';
import type { Visit } from './visit.ts';

const exhibits = await loadExhibits();

describe('the bug museum', () => {
  it.each(exhibits)('$name can still be put back into the sources', (exhibit) => {
    const files = patchedFiles(ROOT, exhibit);
    expect(files.size).toBeGreaterThan(0);
    for (const [file, text] of files) {
      expect(file).toMatch(/^src\/(?!testing\/).*\.ts$/);
      expect(() => stripTypeScriptTypes(text), file).not.toThrow();
    }
  });

  it('has a canary, and no two exhibits tell the same bug', () => {
    expect(exhibits.some(({ isCanary }) => isCanary)).toBe(true);
    expect(new Set(exhibits.map(({ title }) => title)).size).toBe(exhibits.length);
    expect(new Set(exhibits.map(({ edits }) => JSON.stringify(edits))).size).toBe(exhibits.length);
  });

  it('calls an exhibit rotted whose line is gone, or there twice', () => {
    const edit = { file: 'src/base/index.ts', replace: '' };
    expect(() => patchedFiles(ROOT, { edits: [{ ...edit, find: 'not in there' }] })).toThrow(Rotted);
    expect(() => patchedFiles(ROOT, { edits: [{ ...edit, find: 'export' }] })).toThrow(Rotted);
    expect(() => patchedFiles(ROOT, { edits: [{ ...edit, file: 'src/none.ts', find: 'x' }] })).toThrow(
      Rotted,
    );
  });

  it('names the law that a failed run broke', () => {
    expect(lawOf(Object.assign(new Error('x: {}'), { law: 'x' }))).toBe('x');
    expect(lawOf(new Error('the history shows lost-write: {producer-0.7} (2 findings)'))).toBe(
      'history: lost-write',
    );
    expect(lawOf(new Error('liveness: not within 60000 ms: the clients end'))).toBe(
      'liveness: the clients end',
    );
    const cause = Object.assign(new Error('writes go forward (flushedOffset=3)'), { name: 'AssertionError' });
    expect(lawOf(new Error('broker-1 ended itself: bug', { cause }))).toBe(
      'ended: AssertionError: writes go forward',
    );
  });

  it('fails when something rotted, when the canary lives, and below ninety in a hundred', () => {
    const [canary] = exhibits;
    const other = exhibits.find(({ isCanary }) => !isCanary);
    if (canary === undefined || other === undefined) throw new Error('an empty museum');
    const common = { law: '', message: '', seeds: 3, cpuMs: 1, withPreset: false };
    const seen = (exhibit: Visit['exhibit'], outcome: Visit['outcome']): Visit => ({
      ...common,
      exhibit,
      outcome,
    });
    const nine = Array.from({ length: 9 }, () => seen(other, 'killed'));
    expect(scoreOf([seen(canary, 'killed'), ...nine]).problems).toEqual([]);
    expect(scoreOf([...nine, seen(other, 'survived')])).toMatchObject({ percent: 90, problems: [] });
    expect(scoreOf([...nine.slice(1), seen(other, 'survived')]).problems).toHaveLength(1);
    expect(scoreOf([...nine, seen(other, 'rotted')]).problems).toHaveLength(1);
    expect(scoreOf([...nine, seen(canary, 'survived')]).problems).toHaveLength(1);
  });
});
