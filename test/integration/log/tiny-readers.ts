/**
 * Reads a batch of very many records to its end, with each reader that makes objects of records, and prints as JSON how
 * many records each got and by how many bytes the memory of this process grew at most.
 */
import { readFileSync } from 'node:fs';
import { OpenedBatch } from '../../../src/broker/fetch/opened-batch.ts';
import { PlainBudget } from '../../../src/broker/fetch/plain-budget.ts';
import { plainRecords } from '../../../src/broker/fetch/plain-records.ts';
import { Cursor } from '../../../src/client/consumer/cursor.ts';
import { PartitionState } from '../../../src/client/consumer/partition-state.ts';
import { nodeFiles } from '../../../src/env/node/index.ts';
import { inspectLogFile } from '../../../src/log/index.ts';
import { BatchBuilder, type CompressionType, readBatchHeader } from '../../../src/log/record/index.ts';

type Reader = (batch: Buffer, path: string) => number | Promise<number>;

function consume(batch: Buffer): number {
  const state = new PartitionState('t', 0, { offset: 0 });
  const reply = { topic: 't', partition: 0, error: 'NONE' as const, highWatermark: 1, lastStableOffset: 1 };
  state.accept({ ...reply, logStartOffset: 0, batches: [batch] } as never, true);
  const cursor = new Cursor([state], 500, () => {});
  let count = 0;
  for (let taken = cursor.takeBatch(); taken !== undefined; taken = cursor.takeBatch())
    count += taken.records.length;
  return count;
}

function fetchPlain(batch: Buffer): number {
  const { lastOffset } = readBatchHeader(batch);
  const opened = new OpenedBatch();
  let count = 0;
  for (let fetchOffset = 0; fetchOffset <= lastOffset; ) {
    const budget = new PlainBudget(50 * 1024 * 1024);
    const place = { topic: 't', partition: 0, fetchOffset, maxBytes: 50 * 1024 * 1024 };
    const records = plainRecords([batch], { ...place, budget, opened });
    count += records.length;
    fetchOffset = Number(records.at(-1)?.offset) + 1;
  }
  return count;
}

async function dump(_: Buffer, path: string): Promise<number> {
  let count = 0;
  for await (const one of inspectLogFile(nodeFiles(), path, { records: true, deep: true })) {
    if (one.kind === 'finding') throw new Error(one.found);
    if (one.kind === 'row' && one.type === 'record') count++;
  }
  return count;
}

const READERS: Readonly<Record<string, Reader>> = { consume, 'plain fetch': fetchPlain, dump };

const only = process.argv[3];
async function readAll(batch: Buffer, path: string): Promise<Record<string, number>> {
  const given: Record<string, number> = {};
  for (const [name, read] of Object.entries(READERS)) {
    if (only !== undefined && only !== name) continue;
    given[name] = await read(batch, path);
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return given;
}

const [path = ''] = process.argv.slice(2);
const batch = readFileSync(path);
function small(compression: CompressionType): Buffer {
  const builder = new BatchBuilder({ compression });
  for (let i = 0; i < 20_000; i++) builder.append({ timestampMs: 1000 });
  return Buffer.from(builder.build());
}
for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
  consume(small(codec));
  fetchPlain(small(codec));
}
globalThis.gc?.();
const before = process.resourceUsage().maxRSS;
const given = await readAll(batch, path);
const grownBytes = (process.resourceUsage().maxRSS - before) * 1024;
process.stdout.write(JSON.stringify({ given, grownBytes }));
