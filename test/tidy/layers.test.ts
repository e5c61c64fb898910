import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DOORS, LAYERS, PACKAGES, PRIVATE_MODULES } from './rules.ts';
import { type Import, importsOf, layerOf, moduleOf, ROOT, readSources } from './sources.ts';

const sources = readSources('src');
const imports = sources.flatMap(importsOf);
const own = imports.filter((one): one is Import & { target: string } => one.target !== undefined);

/** Imports from one module into another. */
const crossing = own.flatMap((one) => {
  const [importer, imported] = [moduleOf(one.from.path), moduleOf(one.target)];
  return importer === undefined || imported === undefined || importer === imported
    ? []
    : [{ ...one, importer, imported }];
});

it('every file belongs to a module of the table', () => {
  expect(sources.map(({ path }) => path).filter((path) => moduleOf(path) === undefined)).toEqual([]);
});

it('every module has an index.ts', () => {
  const empty = LAYERS.flat()
    .filter((module) => module !== '(root)' && sources.some(({ path }) => moduleOf(path) === module))
    .filter((module) => !existsSync(join(ROOT, 'src', module, 'index.ts')));
  // cli is a program, testing is a folder of kits that have their own.
  expect(empty.filter((module) => module !== 'cli' && module !== 'testing')).toEqual([]);
});

it('imports point down', () => {
  const wrong = crossing
    .filter(({ importer, imported }) => layerOf(imported) >= layerOf(importer))
    .map(
      ({ from, importer, imported, target }) => `${from.path} (${importer}) imports ${target} (${imported})`,
    );
  expect(wrong).toEqual([]);
});

it('a module is imported through an index.ts or a door', () => {
  const wrong = crossing
    .filter(({ importer, imported }) => !isNested(importer, imported))
    .filter(({ target }) => !target.endsWith('/index.ts') && !DOORS.includes(target))
    .map(({ from, target }) => `${from.path} imports ${target}: import the index.ts of its module`);
  expect(wrong).toEqual([]);
});

it('inside of a module nobody imports its own index.ts', () => {
  const wrong = own
    .filter(({ from, target }) => target === `${moduleOf(from.path)}/index.ts`)
    .map(({ from }) => `${from.path} imports its own index.ts: import the file`);
  expect(wrong).toEqual([]);
});

it('modules for the rim are imported at the rim only', () => {
  const wrong = PRIVATE_MODULES.flatMap(({ module, importers, instead }) =>
    crossing
      .filter(({ importer, imported }) => imported === module && !importers.includes(importer))
      .map(({ from }) => `${from.path} imports ${module}: ${instead}`),
  );
  expect(wrong).toEqual([]);
});

it('packages stay where they belong', () => {
  const wrong = PACKAGES.flatMap(({ packages, modules, instead }) =>
    imports
      .filter(({ specifier }) => packages.test(specifier))
      .filter(({ from }) => !modules.includes(moduleOf(from.path) ?? ''))
      .map(({ from, specifier }) => `${from.path} imports ${specifier}: ${instead}`),
  );
  expect(wrong).toEqual([]);
});

it('LevelDB is named in raft/store only', () => {
  const users = imports.filter(({ specifier }) => specifier === 'level').map(({ from }) => from.path);
  expect(users).toEqual(['raft/store/level-stores.ts']);
});

it('no files of different modules import each other in a circle', () => {
  const next = new Map<string, string[]>();
  for (const { from, target } of own) next.set(from.path, [...(next.get(from.path) ?? []), target]);
  const circles = sources.flatMap(({ path }) => findCircle(path, next));
  expect(circles.filter((circle) => new Set(circle.map(moduleOf)).size > 1)).toEqual([]);
});

it('every import of our own ends in .ts and names a file that is there', () => {
  const paths = new Set(sources.map(({ path }) => path));
  const wrong = own.filter(({ target }) => !paths.has(target) && !target.endsWith('.json'));
  expect(wrong.map(({ from, specifier }) => `${from.path} imports ${specifier}`)).toEqual([]);
});

function isNested(a: string, b: string): boolean {
  return a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

/** One circle through `start`, or nothing. */
function findCircle(start: string, next: ReadonlyMap<string, readonly string[]>): string[][] {
  const before = new Map<string, string>();
  const queue = [start];
  for (const at of queue)
    for (const target of next.get(at) ?? []) {
      if (target === start) {
        const circle = [at];
        for (let back = at; back !== start; ) {
          back = before.get(back) ?? start;
          circle.unshift(back);
        }
        return [circle];
      }
      if (before.has(target)) continue;
      before.set(target, at);
      queue.push(target);
    }
  return [];
}
