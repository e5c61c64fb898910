import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { dockerfile } from './dockerfile.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { instructions, stages } = dockerfile();
const image = stages.at(-1);

/** Dockerfile reference, the instructions that are not deprecated. */
const KEYWORDS =
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR';

it('every instruction is one that Docker knows', () => {
  const known = new Set(KEYWORDS.split(' '));
  expect(instructions.filter(({ keyword }) => !known.has(keyword))).toEqual([]);
  expect(instructions[0]?.keyword).toBe('FROM');
});

it('the package is built in one stage and installed in another', () => {
  expect(stages.map(({ name }) => name)).toEqual(['build', undefined]);
  for (const { base } of stages) expect(base).toMatch(/^node:\d+-/);
  expect(image?.instructions.some(({ words }) => words.includes('from=build'))).toBe(true);
});

it('the image runs as an unprivileged user that it makes', () => {
  const [user = ''] = image?.all('USER') ?? [];
  expect(user).not.toMatch(/^(root|0)?$/);
  expect(image?.all('RUN').join(' ')).toContain(`useradd --system --uid 10001 --gid ${user}`);
  const runs = image?.instructions.map(({ keyword }) => keyword) ?? [];
  expect(runs.lastIndexOf('RUN')).toBeLessThan(runs.indexOf('USER'));
});

it('the image checks its health and starts with commands that there are', () => {
  const [health = ''] = image?.all('HEALTHCHECK') ?? [];
  expect(health).toMatch(/^--interval=\d+s --timeout=\d+s --start-period=\d+s CMD \["quorate", "health"\]$/);
  const words = [...(image?.all('ENTRYPOINT') ?? []), ...(image?.all('CMD') ?? [])];
  expect(words.flatMap((list) => JSON.parse(list) as string[])).toEqual(['quorate', 'server']);
  expect(Object.keys(manifest.bin)).toEqual(['quorate']);
});

it('everything that is copied is there, and what must not be copied is named', () => {
  const sources = stages
    .flatMap((stage) => stage.all('COPY'))
    .filter((words) => !words.startsWith('--from'))
    .flatMap((words) => words.split(/\s+/).slice(0, -1));
  expect(sources.filter((source) => !existsSync(`${ROOT}/${source}`))).toEqual([]);
  expect(existsSync(`${ROOT}/deploy/Dockerfile.dockerignore`)).toBe(true);
});
