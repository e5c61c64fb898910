import { describe, expect, it } from 'vitest';
import { BatchBuilder, stampBatch } from '../../../src/log/record/index.ts';
import { EqualLogs } from '../../../src/testing/sim/cluster/watch/equal-logs.ts';
import { MemoryFiles } from '../../../src/testing/twins/index.ts';

const DIRECTORY = '/data/t-0';

async function disk(batches: readonly (readonly [base: number, text: string])[]): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  await files.makeDirectory(DIRECTORY);
  const handle = await files.open(`${DIRECTORY}/${'0'.repeat(20)}.log`, 'create');
  const bytes = batches.map(([baseOffset, text]) => {
    const builder = new BatchBuilder({ compression: 'none' });
    builder.append({ key: null, value: Buffer.from(text), timestampMs: 1 });
    const batch = Buffer.from(builder.build());
    stampBatch(batch, { baseOffset, leaderEpoch: 1 });
    return batch;
  });
  await handle.write(bytes, 0);
  await handle.close();
  // The next segment, in which nothing is yet.
  await (await files.open(`${DIRECTORY}/${String(batches.length).padStart(20, '0')}.log`, 'create')).close();
  return files;
}

describe('replicas in the end', () => {
  const check = async (starts: readonly [number, number], other: string): Promise<void> => {
    const equal = new EqualLogs();
    equal.add(
      't-0',
      1,
      starts[0],
      await disk([
        [0, 'a'],
        [1, 'b'],
      ]),
      DIRECTORY,
    );
    equal.add(
      't-0',
      2,
      starts[1],
      await disk([
        [0, other],
        [1, 'b'],
      ]),
      DIRECTORY,
    );
    equal.check();
  };

  it('are the same, synced or not', async () => {
    await check([0, 0], 'a');
  });

  it('may differ below a log start', async () => {
    await check([0, 1], 'x');
  });

  it('differ nowhere else', async () => {
    await expect(check([0, 0], 'x')).rejects.toThrow('in the end all replicas are the same');
  });
});
