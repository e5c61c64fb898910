import { describe, expect, it } from 'vitest';
import { BatchBuilder, stampBatch } from '../../../src/log/record/index.ts';
import { EqualLogs } from '../../../src/testing/sim/cluster/watch/equal-logs.ts';
import { MemoryFiles } from '../../../src/testing/twins/index.ts';

const DIRECTORY = '/data/t-0';

async function disk(texts: readonly string[]): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  await files.makeDirectory(DIRECTORY);
  const handle = await files.open(`${DIRECTORY}/${'0'.repeat(20)}.log`, 'create');
  const bytes = texts.map((text, baseOffset) => {
    const builder = new BatchBuilder({ compression: 'none' });
    builder.append({ key: null, value: Buffer.from(text), timestampMs: 1 });
    const batch = Buffer.from(builder.build());
    stampBatch(batch, { baseOffset, leaderEpoch: 1 });
    return batch;
  });
  await handle.write(bytes, 0);
  await handle.close();
  // The next segment, in which nothing is yet.
  await (await files.open(`${DIRECTORY}/${String(texts.length).padStart(20, '0')}.log`, 'create')).close();
  return files;
}

describe('replicas in the end', () => {
  const check = async (starts: readonly [number, number], other: string): Promise<void> => {
    const equal = new EqualLogs();
    for (const [index, text] of ['a', other].entries())
      equal.add('t-0', index + 1, starts[index] ?? 0, await disk([text, 'b']), DIRECTORY);
    equal.check();
  };

  it('are the same, synced or not', async () => {
    await expect(check([0, 0], 'a')).resolves.toBeUndefined();
  });

  it('may differ below a log start', async () => {
    await expect(check([0, 1], 'x')).resolves.toBeUndefined();
  });

  it('differ nowhere else', async () => {
    await expect(check([0, 0], 'x')).rejects.toThrow('in the end all replicas are the same');
  });
});
