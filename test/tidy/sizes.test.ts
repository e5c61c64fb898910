import { expect, it } from 'vitest';
import { COLUMNS_MAX, LINES_MAX } from './rules.ts';
import { readSources } from './sources.ts';

it.each(['src', 'test'] as const)('no file of %s is longer than its limit: split it by noun', (folder) => {
  const long = readSources(folder)
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ path, lines }) => lines > LINES_MAX[folder] && !path.includes('/generated/'));
  expect(long).toEqual([]);
});

it('no line of code or comment is wider than a screen; long words in strings are', () => {
  const wide = readSources('src').flatMap(({ path, text, code }) => {
    const blanked = code.split('\n');
    return text.split('\n').flatMap((line, index) => {
      const isString = /['`]/.test(blanked[index] ?? '');
      return line.length > COLUMNS_MAX && !isString ? [`${path}:${index + 1}`] : [];
    });
  });
  expect(wide).toEqual([]);
});
