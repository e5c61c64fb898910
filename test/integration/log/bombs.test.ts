/** Memory is that of a process of its own, as the system counts it: native libraries allocate where V8 does not look. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BOMBS, FRAUDS } from '../../log/record/bombs.ts';

const MEMORY_BYTES_MAX = 32 * 1024 * 1024;
const run = promisify(execFile);
const readers = fileURLToPath(new URL('./bomb-readers.ts', import.meta.url));

interface Outcome {
  /** Of each batch, the answer of each reader. */
  readonly given: readonly Readonly<Record<string, string>>[];
  readonly grownBytes: number;
}

describe('no reader gives a bomb more than 32 MiB of memory', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'quorate-bombs-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  async function open(name: string, batches: readonly Buffer[], refusal: RegExp): Promise<void> {
    const files = batches.map((_, i) => join(directory, `${i}`));
    await Promise.all(files.map((file, i) => writeFile(file, batches[i] ?? '')));
    const { stdout } = await run(process.execPath, ['--expose-gc', readers, ...files]);
    const { given, grownBytes } = JSON.parse(stdout) as Outcome;
    expect(given).toHaveLength(batches.length);
    for (const answers of given) {
      expect(Object.keys(answers)).toHaveLength(8);
      for (const [reader, answer] of Object.entries(answers)) expect(answer, reader).toMatch(refusal);
    }
    process.stdout.write(`${(grownBytes / 2 ** 20).toFixed(1).padStart(6)} MiB  ${name}\n`);
    expect(grownBytes).toBeLessThanOrEqual(MEMORY_BYTES_MAX);
  }

  for (const [name, bomb] of Object.entries(BOMBS))
    it(name, () => open(name, [bomb()], /the batch inflates to more than the limit/));

  it('nor all together one that lies, or is of a million blocks', () =>
    open(
      'frauds',
      Object.values(FRAUDS).map((fraud) => fraud()),
      /cannot be inflated/,
    ));
});
