import { describe, expect, it } from 'vitest';
import { CorruptionError } from '../../../src/base/index.ts';
import { batchChunks } from '../../../src/log/compaction/batch-chunks.ts';
import { BatchBuilder, type BatchView, batches, stampBatch } from '../../../src/log/record/index.ts';
import { MemoryFiles } from '../../../src/testing/twins/index.ts';

function batchAt(baseOffset: number, records: number, valueBytes: number): Uint8Array {
  const builder = new BatchBuilder({ compression: 'zstd' });
  const value = Buffer.alloc(valueBytes, baseOffset);
  for (let i = 0; i < records; i++) builder.append({ key: Buffer.from(`k${i}`), value, timestampMs: i });
  const bytes = builder.build();
  stampBatch(bytes, { baseOffset, leaderEpoch: 0 });
  return bytes;
}

function endOf(bytes: Uint8Array): number {
  const last = [...batches(bytes)].at(-1);
  return (last?.header.lastOffset ?? -1) + 1;
}

async function chunksOf(bytes: Uint8Array, sizeBytes = bytes.length, endOffset = endOf(bytes)) {
  const handle = await new MemoryFiles().open('/t', 'create');
  await handle.write([bytes], 0);
  const chunks: number[][] = [];
  const part = { baseOffset: 0, endOffset, sizeBytes, epochAt: () => 0 };
  for await (const chunk of batchChunks(handle, part))
    chunks.push(chunk.map(({ header }: BatchView) => header.baseOffset));
  return chunks;
}

describe('the chunks of a segment', () => {
  it('hold all batches in order, few records each, however well they are compressed', async () => {
    const bases = Array.from({ length: 40 }, (_, i) => i * 1000);
    const chunks = await chunksOf(Buffer.concat(bases.map((base) => batchAt(base, 1000, 20))));
    expect(chunks.flat()).toEqual(bases);
    for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(4);
  });

  it('hold a batch that is larger than a chunk alone, and small ones again after it', async () => {
    const builder = new BatchBuilder({ compression: 'none' });
    builder.append({ key: Buffer.from('k'), value: Buffer.alloc(600_000), timestampMs: 1 });
    const large = builder.build();
    stampBatch(large, { baseOffset: 1, leaderEpoch: 0 });
    const bytes = Buffer.concat([batchAt(0, 1, 1), large, batchAt(2, 1, 1), batchAt(3, 1, 1)]);
    expect((await chunksOf(bytes)).flat()).toEqual([0, 1, 2, 3]);
    expect((await chunksOf(bytes)).some((chunk) => chunk.length === 1 && chunk[0] === 1)).toBe(true);
  });

  it('are damage where a batch is not whole or not as it was written', async () => {
    const bytes = Buffer.concat([batchAt(0, 5, 10), batchAt(5, 5, 10)]);
    for (const cut of [1, 30, 70])
      await expect(chunksOf(bytes, bytes.length - cut)).rejects.toThrow(CorruptionError);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await expect(chunksOf(bytes)).rejects.toThrow(CorruptionError);
  });

  it('are damage where an offset or a leader epoch, which no CRC covers, does not fit', async () => {
    const sound = Buffer.concat([0, 5, 10].map((base) => batchAt(base, 5, 10)));
    const sizes = [...batches(sound)].map(({ header }) => header.sizeBytes);
    expect((await chunksOf(sound)).flat()).toEqual([0, 5, 10]);
    const starts = [0, sizes[0] ?? 0, (sizes[0] ?? 0) + (sizes[1] ?? 0)];
    for (const start of starts)
      for (const [at, bit] of [...Array.from({ length: 64 }, (_, i) => [i >> 3, i & 7]), [15, 0]] as const) {
        const bytes = Buffer.from(sound);
        bytes[start + at] = (bytes[start + at] ?? 0) ^ (1 << bit);
        await expect(chunksOf(bytes, bytes.length, 15), `${start} ${at} ${bit}`).rejects.toThrow(
          CorruptionError,
        );
      }
  });
});
