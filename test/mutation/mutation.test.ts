import { stripTypeScriptTypes } from 'node:module';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../museum/tree.ts';
import { listMutants, mutatedText } from './mutant.ts';
import { mutationsOf } from './mutations.ts';
import { pageOf, scoreOf } from './report.ts';
import { VERDICTS } from './verdicts.ts';

const REPLICA = 'src/broker/replica';

function changesOf(source: string): string[] {
  return mutationsOf(source).map(({ change }) => change);
}

function mutated(source: string, change: string): string {
  const found = mutationsOf(source).find((mutation) => mutation.change === change);
  if (found === undefined) throw new Error(`there is no ${change} in ${source}`);
  return source.slice(0, found.start) + found.text + source.slice(found.end);
}

describe('the mutations of a source', () => {
  it('flip and negate a comparison', () => {
    expect(mutated('const x = a.b < c;', '< -> <=')).toBe('const x = a.b <= c;');
    expect(mutated('const x = a.b < c;', '< -> >=')).toBe('const x = a.b >= c;');
    expect(mutated('const x = a === c;', '=== -> !==')).toBe('const x = a !== c;');
  });

  it('exchange logic without changing what belongs together', () => {
    expect(mutated('const x = a && b || c;', '&& -> ||')).toBe('const x = ((a) || (b)) || c;');
  });

  it('lose an await, or move it', () => {
    const source = 'async function f(): Promise<void> { await a(); b(); }';
    expect(mutated(source, 'await removed')).toContain('{ a(); b(); }');
    expect(mutated(source, 'moved behind the next: await a();')).toContain('{ b(); await a(); }');
    expect(mutated(source, 'dropped: b();')).toContain('{ await a(); ; }');
  });

  it('force a condition, drop a one, take the other bound', () => {
    expect(mutated('if (a) b = 1;', 'if (a) -> true')).toBe('if (true) b = 1;');
    expect(mutated('f(a + 1);', '+ 1 dropped')).toBe('f(a);');
    expect(mutated('f(Math.max(a, b));', 'Math.max -> Math.min')).toBe('f(Math.min(a, b));');
  });

  it('leave alone what is only told, asserted, or made in a constructor', () => {
    expect(
      changesOf("this.#logger.warn({ a: b < c }, 'x'); assert(a < b, 'x'); throw new X(a < b);"),
    ).toEqual([]);
    expect(changesOf('class A { constructor() { this.x = 1; } }')).toEqual([]);
  });
});

describe('the mutants of the replicas', () => {
  const mutants = listMutants(ROOT, [REPLICA]);

  it('have names of their own and can be run', () => {
    expect(mutants.length).toBeGreaterThan(1000);
    expect(mutants.some(({ file }) => file.startsWith(`${REPLICA}/core/`))).toBe(true);
    expect(new Set(mutants.map(({ file, name }) => `${file} ${name}`)).size).toBe(mutants.length);
    for (const mutant of mutants.filter((_, index) => index % 25 === 0))
      expect(() => stripTypeScriptTypes(mutatedText(ROOT, mutant)), mutant.name).not.toThrow();
  });

  it('are still there where something was written about them', () => {
    for (const { file, was, change } of VERDICTS)
      expect(
        listMutants(ROOT, [file]).some((one) => one.was.startsWith(was) && one.change === change),
        `${file}: ${was} ${change}`,
      ).toBe(true);
  });
});

describe('the page of the trials', () => {
  const common = { file: `${REPLICA}/x.ts`, was: 'a < b', change: '< -> <=', seeds: 2, cpuMs: 1500 };

  it('says who killed what, and what is open', () => {
    const trials = [
      { ...common, name: 'x.ts:1 < -> <=', outcome: 'simulation', law: 'l', seed: 2 },
      { ...common, name: 'x.ts:2 < -> <=', outcome: 'tests', law: 'test: t' },
      { ...common, name: 'x.ts:3 < -> <=', outcome: 'survived' },
    ] as const;
    expect(scoreOf(trials)).toMatch(/^1 of 3 killed .* 1 by unit tests alone, 1 by nothing$/);
    const page = pageOf(trials);
    expect(page).toContain('| `x.ts:1 < -> <=` | l | 2 | 1.5 |');
    expect(page).toContain('| `x.ts:2 < -> <=` | unit test: t | 2 | 1.5 |');
    expect(page).toContain('| `x.ts:3 < -> <=` | `a < b` | **open** |  |');
  });
});
