import { expect, it } from 'vitest';
import { blank, closingBracket, placeOf, readSources, type Source } from './sources.ts';

const tests = readSources('test').filter(
  ({ path }) => path.endsWith('.test.ts') || path.endsWith('-contract.ts'),
);

/** The calls `it(…)` and `it.each(…)(…)` of a file: where each begins, and its code. */
function casesOf(source: Source): { index: number; code: string }[] {
  const found: { index: number; code: string }[] = [];
  for (const match of source.code.matchAll(/(?<![\w.])(it|test)(\.(each|for|concurrent))?\s*(?=[(`])/g)) {
    let open = match.index + match[0].length;
    if (match[3] === 'each' || match[3] === 'for') open = closingBracket(source.code, open) + 1;
    if (source.code[open] !== '(') continue;
    found.push({ index: match.index, code: source.code.slice(open, closingBracket(source.code, open) + 1) });
  }
  return found;
}

/** `expect`, `assert…`, or a function of the same file that uses one of them. */
function isAsserting(source: Source, code: string): boolean {
  const asserting = /\b(expect|assert\w*)\b/;
  if (asserting.test(code)) return true;
  return [...code.matchAll(/\b([A-Za-z]\w*)\s*\(/g)].some(([, name]) => {
    const declared = new RegExp(`(?:function|class|const)\\s+${name}\\b`).exec(source.code);
    if (declared === null)
      return (
        new RegExp(`import[^;]*\\b${name}\\b[^;]*;`).test(source.code) &&
        /^(expect|assert|check|verify)/.test(name as string)
      );
    const body = source.code.indexOf('{', declared.index);
    return asserting.test(source.code.slice(declared.index, closingBracket(source.code, body)));
  });
}

it('every test asserts something', () => {
  const empty = tests.flatMap((source) =>
    casesOf(source)
      .filter(({ code }) => !isAsserting(source, code))
      .map(({ index }) => placeOf(source, index)),
  );
  expect(empty).toEqual([]);
});

it('no test is left out, alone, or expected to fail', () => {
  const left = tests.flatMap((source) =>
    [...source.code.matchAll(/\b(it|test|describe)\.(only|skip|todo|fails)\b/g)].map(({ index }) =>
      placeOf(source, index),
    ),
  );
  expect(left).toEqual([]);
});

it('no test sleeps or mocks our own code', () => {
  const sleeping = tests.flatMap((source) =>
    [...source.code.matchAll(/\bvi\.(mock|fn|spyOn|useFakeTimers)\b|\bsetTimeout\(\s*resolve/g)]
      .filter(() => !source.path.startsWith('integration/'))
      .map(({ index }) => placeOf(source, index)),
  );
  expect(sleeping).toEqual([]);
});

it('there are tests to look at, and the look works', () => {
  const path = 'x.test.ts';
  const text = "it('one', () => { expect(1); });\nit('two', () => { run('expect(1)'); }); // expect\n";
  const cases = casesOf({ path, text, code: blank(text) });
  expect(cases.map(({ code }) => /\bexpect\b/.test(code))).toEqual([true, false]);
  expect(tests.length).toBeGreaterThan(10);
});
