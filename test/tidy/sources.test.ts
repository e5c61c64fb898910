// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these strings are source code.
import { expect, it } from 'vitest';
import { blank, importsOf, moduleOf } from './sources.ts';

it.each([
  ["a = 'b' // c", "a = ' '     "],
  ['/* Date */ x', '           x'],
  ['`a ${Date.now()} b` + 1', '`  ${Date.now()}  ` + 1'],
  ['`${`x${y}`}` z', '`${` ${y}`}` z'],
  ["x = /a'b/.test(y) ? 'c' : d", "x = /   /.test(y) ? ' ' : d"],
  ['a / b / c', 'a / b / c'],
  ["'it\\'s' + y", "'     ' + y"],
  ['x\n// let y\nz', 'x\n        \nz'],
])('comments and strings are blanked, code is not: %s', (text, code) => {
  expect(blank(text)).toBe(code);
});

it('imports are found in all their forms, not in comments', () => {
  const text = [
    "import type { A } from '../base/index.ts';",
    "export * from './x.ts';",
    "import {\n  B,\n} from 'level';",
    "const c = await import('node:fs');",
    "// import { D } from 'nowhere';",
    'const e = "from \'nowhere\'";',
  ].join('\n');
  const found = importsOf({ path: 'env/y.ts', text, code: blank(text) });
  expect(found.map(({ specifier }) => specifier)).toEqual(['../base/index.ts', './x.ts', 'level', 'node:fs']);
  expect(found[0]?.target).toBe('base/index.ts');
});

it('a file belongs to the innermost module', () => {
  expect(moduleOf('log/record/x.ts')).toBe('log/record');
  expect(moduleOf('log/x.ts')).toBe('log');
  expect(moduleOf('raft/store/x.ts')).toBe('raft');
  expect(moduleOf('index.ts')).toBe('(root)');
  expect(moduleOf('nowhere/x.ts')).toBeUndefined();
});
