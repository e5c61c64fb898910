import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const EXAMPLE = /<!-- example: (examples\/\S+) -->\n```ts\n(.*?)```\n<!-- end of example -->/gs;

const shown = globSync('docs/testing/*.md', { cwd: ROOT }).flatMap((page) =>
  [...read(page).matchAll(EXAMPLE)].map(([, path = '', code = '']) => ({ page, path, code })),
);

it.each(shown)('$page shows $path as it is', ({ path, code }) => {
  expect(code).toBe(read(path));
});

it('every example is on a page', () => {
  const examples = globSync('examples/*.ts', { cwd: ROOT });
  expect(shown.map(({ path }) => path).toSorted()).toEqual(examples.toSorted());
});
