/**
 * Reads a segment to its end with one of the readers that make objects of records, and prints as JSON how many it got
 * and by how many bytes the memory of this process grew at most.
 */
import { readFileSync } from 'node:fs';
import { OpenedBatch } from '../../../src/broker/fetch/opened-batch.ts';
import { PlainBudget } from '../../../src/broker/fetch/plain-budget.ts';
import { plainRecords } from '../../../src/broker/fetch/plain-records.ts';
import { Cursor } from '../../../src/client/consumer/cursor.ts';
import { PartitionState } from '../../../src/client/consumer/partition-state.ts';
import { nodeFiles } from '../../../src/env/node/index.ts';
import { inspectLogFile } from '../../../src/log/index.ts';
import { readBatchHeader } from '../../../src/log/record/index.ts';

/** More than the budget of any request: what bounds a reply is the broker's own. */
const WANTED_BYTES = 2 ** 40;

async function consume(path: string): Promise<number> {
  const batch = readFileSync(path);
  const state = new PartitionState('t', 0, { offset: 0 });
  const reply = { topic: 't', partition: 0, error: 'NONE' as const, highWatermark: 1, lastStableOffset: 1 };
  state.accept({ ...reply, logStartOffset: 0, batches: [batch], records: [] }, true);
  const cursor = new Cursor([state], 500, () => {});
  let count = 0;
  for (let taken = cursor.takeBatch(); taken !== undefined; taken = cursor.takeBatch())
    count += taken.records.length;
  return count;
}

async function fetchPlain(path: string): Promise<number> {
  const batch = readFileSync(path);
  const { lastOffset } = readBatchHeader(batch);
  const opened = new OpenedBatch();
  let count = 0;
  for (let fetchOffset = 0; fetchOffset <= lastOffset; ) {
    const budget = new PlainBudget(WANTED_BYTES);
    const place = { topic: 't', partition: 0, fetchOffset, maxBytes: WANTED_BYTES };
    const records = plainRecords([batch], { ...place, budget, opened });
    count += records.length;
    fetchOffset = (records.at(-1)?.offset ?? lastOffset) + 1;
  }
  return count;
}

async function dump(path: string): Promise<number> {
  let count = 0;
  for await (const one of inspectLogFile(nodeFiles(), path, { records: true, deep: true })) {
    if (one.kind === 'finding') throw new Error(one.found);
    if (one.kind === 'row' && one.type === 'record') count++;
  }
  return count;
}

const READERS: Readonly<Record<string, (path: string) => Promise<number>>> = {
  consume,
  'plain fetch': fetchPlain,
  dump,
};

const [reader = '', path = '', small = ''] = process.argv.slice(2);
const read = READERS[reader];
// Code, libraries and contexts are there before the measuring begins.
await read?.(small);
const before = process.resourceUsage().maxRSS;
const count = await read?.(path);
const grownBytes = (process.resourceUsage().maxRSS - before) * 1024;
process.stdout.write(JSON.stringify({ count, grownBytes }));
