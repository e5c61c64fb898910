import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { simulatedPoints } from '../../src/testing/sim/cluster/inserted-points.ts';
import { drawOptions } from '../../src/testing/sim/cluster/options.ts';
import { INSERTIONS, ROOT, Rotted, readSource, withPoints } from './insert.ts';
import { KINSHIPS, POINTS } from './registry/index.ts';
import type { DeathReport } from './simulate-deaths.ts';

const COUNT_MIN = 40;
const files = [...INSERTIONS.keys()];

describe('the registry of failure points', () => {
  it.each(files)('fits %s, which is a module with them and keeps its lines', (file) => {
    expect(file).toMatch(/^src\/(?!testing\/).*\.ts$/);
    const source = readSource(file);
    const text = withPoints(file, source);
    expect(() => stripTypeScriptTypes(text), file).not.toThrow();
    expect(text.split('\n')).toHaveLength(source.split('\n').length);
  });

  it('says whose code it is by one expression', () => {
    for (const { of } of [...POINTS, ...KINSHIPS])
      expect(() => stripTypeScriptTypes(`const it = (${of});`)).not.toThrow();
  });

  it('has many points, each under a name of its own that says driver, step and moment', () => {
    const names = POINTS.map(({ name }) => name);
    expect(names.length).toBeGreaterThanOrEqual(COUNT_MIN);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z]+(\.[a-z]+(-[a-z]+)*)+$/);
  });

  it('is only of drivers: no point lies in a pure core', () => {
    for (const { file } of POINTS)
      expect(file).not.toMatch(/\/core\/|src\/machine\/|metadata\/(image|controller)\//);
  });

  it('notices a line that is gone, or there twice', () => {
    const [file = ''] = files;
    const source = readSource(file);
    expect(() => withPoints(file, '')).toThrow(Rotted);
    expect(() => withPoints(file, source + source)).toThrow(Rotted);
  });

  it('is nothing to a process that does not insert it', () => {
    expect(simulatedPoints()).toEqual([]);
    for (const seed of [1, 2, 3, 4]) expect(drawOptions(seed).faults).not.toHaveProperty('failure point');
  });
});

/** A program with points inserted. */
function run(program: string, words: readonly string[], environment: Record<string, string> = {}): string {
  return execFileSync(process.execPath, ['--import', './test/failpoints/register.ts', program, ...words], {
    cwd: fileURLToPath(ROOT),
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

const simulate = (...names: string[]): DeathReport[] =>
  JSON.parse(run('test/failpoints/simulate-deaths.ts', names)) as DeathReport[];

describe('a process with failure points', () => {
  it('has machines die at the points it names, in the midst of their code, and goes on', () => {
    const names = ['replica.make.after-log', 'quorum.append.after-batch', 'broker.register.before-send'];
    const [first, again] = simulate(...names);
    expect(first?.failure).toBeUndefined();
    for (const name of names)
      expect(
        first?.deaths.some((death) => death.endsWith(` at ${name}`)),
        name,
      ).toBe(true);
    expect(again).toEqual(first);
  });

  it('has machines die at points that the seed draws, the same way each time', () => {
    const [first, again] = simulate();
    expect(first?.failure).toBeUndefined();
    expect(first?.deaths.length).toBeGreaterThan(0);
    expect(again).toEqual(first);
  });

  it('draws everything else of a seed as one without them does', () => {
    const program = 'test/failpoints/print-options.ts';
    const { faults, ...rest } = JSON.parse(run(program, ['7']));
    const { 'failure point': meanMs, ...others } = faults;
    expect(meanMs).toBeGreaterThan(0);
    expect({ ...rest, faults: others }).toEqual(drawOptions(7));
  });

  it('kills itself where it is told to', () => {
    const program = 'test/failpoints/replace-file.ts';
    const directory = mkdtempSync(join(tmpdir(), 'failpoints-'));
    const replace = (environment?: Record<string, string>): string => run(program, [directory], environment);
    try {
      expect(replace()).toBe('one\ntwo\nthree\n');
      expect(() => replace({ FAILPOINT: 'log.sync.after:kill@1,file.replace.before-rename:kill@2' })).toThrow(
        expect.objectContaining({
          signal: 'SIGKILL',
          stdout: 'one\n',
          stderr: expect.stringContaining('"failurePoint":"file.replace.before-rename"'),
        }),
      );
      expect(readFileSync(join(directory, 'file'), 'utf8')).toBe('one');
      expect(() => replace({ FAILPOINT: 'no.such:kill@1' })).toThrow('is no failure point');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
