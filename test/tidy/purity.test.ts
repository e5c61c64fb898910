import { expect, it } from 'vitest';
import { BANS, IMPURE, PURE_FOLDERS } from './rules.ts';
import { importsOf, moduleOf, placeOf, readSources, type Source } from './sources.ts';

const sources = readSources('src');

const matches = (source: Source, pattern: RegExp): string[] =>
  [...source.code.matchAll(new RegExp(pattern.source, `g${pattern.flags}`))].map((match) =>
    placeOf(source, match.index),
  );

it.each(BANS)('only some modules use $name', ({ pattern, modules, files, instead }) => {
  const found = sources
    .filter(({ path }) => !modules.includes(moduleOf(path) ?? '') && files?.includes(path) !== true)
    .flatMap((source) => matches(source, pattern));
  expect(found, `instead: ${instead}`).toEqual([]);
});

it.each(PURE_FOLDERS)('$folder only computes', ({ folder, packages }) => {
  const inside = sources.filter(({ path }) => path.startsWith(`${folder}/`));
  const said = IMPURE.flatMap(({ name, pattern, instead }) =>
    inside.flatMap((source) => matches(source, pattern).map((place) => `${place}: ${name}; ${instead}`)),
  );
  expect(said).toEqual([]);
  const foreign = inside
    .flatMap(importsOf)
    .filter(({ target, specifier }) => target === undefined && !packages.test(specifier))
    .map(({ from, specifier }) => `${from.path} imports ${specifier}`);
  expect(foreign).toEqual([]);
});
