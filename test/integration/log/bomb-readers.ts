/**
 * Opens the batches in the files that are named, with every reader there is, and prints as JSON what each answered and
 * by how many bytes the memory of this process grew at most.
 */
import { readFileSync } from 'node:fs';
import { OpenedBatch } from '../../../src/broker/fetch/opened-batch.ts';
import { PlainBudget } from '../../../src/broker/fetch/plain-budget.ts';
import { plainRecords } from '../../../src/broker/fetch/plain-records.ts';
import { PartitionState } from '../../../src/client/consumer/partition-state.ts';
import { checkProducedBatch, toStoredBatch } from '../../../src/log/append/append-checks.ts';
import { DEFAULT_LOG_CONFIG } from '../../../src/log/index.ts';
import { BatchChecker } from '../../../src/log/inspect/check-batches.ts';
import { searchTimestamp } from '../../../src/log/read/search-timestamp.ts';
import { filterBatch, type RecordCursor, readBatchHeader } from '../../../src/log/record/index.ts';
import { batchAround } from '../../log/record/bombs.ts';

type Reader = (batch: Buffer) => unknown;

function append(batch: Buffer, compressionType: 'producer' | 'lz4' | 'none'): void {
  const config = {
    ...DEFAULT_LOG_CONFIG,
    compressionType,
    timestampAfterMaxMs: 2 ** 50,
    maxMessageBytes: 2 ** 30,
  };
  toStoredBatch(batch, checkProducedBatch(batch, config), config, 5000);
}

function consume(batch: Buffer): void {
  const state = new PartitionState('t', 0, { offset: 0 });
  const reply = { topic: 't', partition: 0, error: 'NONE' as const, highWatermark: 1, lastStableOffset: 1 };
  state.accept({ ...reply, logStartOffset: 0, batches: [batch] } as never, true);
  state.take(500);
}

function dump(batch: Buffer): void {
  const checker = new BatchChecker(0, { deep: true });
  const records = checker.recordsOf(batch, readBatchHeader(batch));
  let step = records.next();
  while (step.done !== true) step = records.next();
  const [first] = step.value;
  if (first !== undefined) throw new Error(first.found);
}

const compact = (batch: Buffer) =>
  filterBatch(batch, readBatchHeader(batch), {
    retains: (_: RecordCursor) => true,
    deleteHorizonMs: undefined,
    keepsEmpty: true,
  });

const search = (batch: Buffer) =>
  searchTimestamp(
    { logStartOffset: 0, logEndOffset: 1, read: () => ({ batches: [batch] }) as never },
    0,
    1,
    1000,
  );

const READERS: Readonly<Record<string, Reader>> = {
  append: (batch) => append(batch, 'producer'),
  'append in lz4': (batch) => append(batch, 'lz4'),
  'append in clear': (batch) => append(batch, 'none'),
  consume,
  'plain fetch': (batch) =>
    plainRecords([batch], {
      ...{ topic: 't', partition: 0, fetchOffset: 0, maxBytes: 1, budget: new PlainBudget(1) },
      opened: new OpenedBatch(),
    }),
  dump,
  compact,
  search,
};

async function answers(batch: Buffer): Promise<Record<string, string>> {
  const given: Record<string, string> = {};
  for (const [name, read] of Object.entries(READERS)) {
    try {
      await read(batch);
      given[name] = 'opened';
    } catch (error) {
      given[name] = error instanceof Error ? error.message : String(error);
    }
    // Memory of the last one is freed, as it would be between two requests.
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return given;
}

const opened = process.argv.slice(2).map((path) => readFileSync(path));
// Code, libraries and contexts are there before the measuring begins.
for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const)
  await answers(batchAround(codec, Buffer.alloc(9)));
const before = process.resourceUsage().maxRSS;
const given: Record<string, string>[] = [];
for (const batch of opened) given.push(await answers(batch));
const grownBytes = (process.resourceUsage().maxRSS - before) * 1024;
process.stdout.write(JSON.stringify({ given, grownBytes }));
