/**
 * Millions of records in one batch: readers make objects of a few at a time. Their process has a heap that could not
 * hold a tenth of them. What the system counts beside the batch is the batch in clear, once or twice, and garbage that
 * is not collected yet: 11 to 33 MiB were seen.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BatchBuilder, type CompressionType } from '../../../src/log/record/index.ts';

const MIB = 1024 * 1024;
/** As many as a batch may inflate to, however small it is. */
const CLEAR_BYTES = 12 * MIB - 10;
const HEAP_FLAGS = ['--max-old-space-size=40', '--max-semi-space-size=1'];
const run = promisify(execFile);
const readers = fileURLToPath(new URL('./tiny-readers.ts', import.meta.url));

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quorate-tiny-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function segment(name: string, compression: CompressionType, clearBytes: number) {
  const builder = new BatchBuilder({ compression });
  while (builder.sizeBytes < clearBytes) builder.append({ timestampMs: 1000 });
  const path = join(directory, `${compression}-${name}`, '00000000000000000000.log');
  await mkdir(join(path, '..'), { recursive: true });
  const bytes = builder.build();
  await writeFile(path, bytes);
  return { path, count: builder.count, sizeBytes: bytes.length };
}

describe('1.2 million records of a batch are read to the last in a heap of 40 MiB', () => {
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const)
    for (const reader of ['consume', 'plain fetch', 'dump'])
      it(`in ${codec}: ${reader}`, async () => {
        const { path, count, sizeBytes } = await segment('large', codec, CLEAR_BYTES);
        const small = await segment('small', codec, MIB / 2);
        const { stdout } = await run(process.execPath, [...HEAP_FLAGS, readers, reader, path, small.path]);
        const read = JSON.parse(stdout) as { count: number; grownBytes: number };
        expect(read.count).toBe(count);
        expect(count).toBeGreaterThan(1_200_000);
        const besideBytes = read.grownBytes - sizeBytes;
        process.stdout.write(`${(besideBytes / MIB).toFixed(1).padStart(6)} MiB  ${codec}, ${reader}\n`);
        expect(besideBytes).toBeLessThanOrEqual(4 * CLEAR_BYTES);
      }, 60_000);
});
