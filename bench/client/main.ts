/**
 * The client alone, against a broker that costs nothing: records per second through `send` in batches of 100
 * records of 100 bytes, and read by `for await`. `node bench/client/main.ts [seconds]`.
 */
import { createClient } from '../../src/client/index.ts';
import { SILENT } from '../../src/env/index.ts';
import { nodeClock, nodeRandom, nodeTimers } from '../../src/env/node/index.ts';
import { BatchBuilder } from '../../src/log/record/index.ts';
import { nullTransport } from './null-transport.ts';

const PARTITIONS = 3;
const RECORD_BYTES = 100;
const RECORDS_PER_SEND = 100;
/** Calls of `send` that wait at a time. */
const SENDS_OPEN = 64;

const seconds = Number(process.argv[2] ?? 3);
const transport = nullTransport(PARTITIONS);
const environment = { clock: nodeClock(), timers: nodeTimers(), random: nodeRandom(), logger: SILENT };
const client = createClient({ bootstrap: 'null:1', transport, environment });

async function produce(value: string | Buffer, name: string, perSend: number): Promise<void> {
  const producer = client.producer();
  const records = Array.from({ length: perSend }, () => ({ value }));
  const endMs = performance.now() + seconds * 1000;
  const startMs = performance.now();
  transport.produced = { batches: 0, bytes: 0, frames: 0 };
  let sent = 0;
  const loop = async (): Promise<void> => {
    while (performance.now() < endMs) {
      if (perSend === 1) await producer.send('bench', { value });
      else await producer.send('bench', records);
      sent += perSend;
    }
  };
  await Promise.all(Array.from({ length: SENDS_OPEN * (perSend === 1 ? 16 : 1) }, loop));
  const rate = sent / ((performance.now() - startMs) / 1000);
  const { batches, bytes } = transport.produced;
  print(name, rate, `${Math.round(bytes / batches)} B a batch`);
  await producer.close();
}

async function consume(name: string, recordsPerBatch: number, each: 'record' | 'batch'): Promise<void> {
  const builder = new BatchBuilder({ compression: 'none' });
  const value = Buffer.alloc(RECORD_BYTES, 'x');
  for (let i = 0; i < recordsPerBatch; i++) builder.append({ value, timestampMs: 1 });
  transport.batch = builder.build();
  transport.recordsPerBatch = recordsPerBatch;
  const assignment = Array.from({ length: PARTITIONS }, (_, partition) => ({
    topic: 'bench',
    partition,
    from: { offset: 0 },
  }));
  const consumer = client.consumer({ assignment });
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  let read = 0;
  if (each === 'record') {
    for await (const record of consumer) {
      read += record.value === null ? 0 : 1;
      if ((read & 1023) === 0 && performance.now() > endMs) break;
    }
  } else {
    for await (const { records } of consumer.batches()) {
      read += records.length;
      if (performance.now() > endMs) break;
    }
  }
  print(name, read / ((performance.now() - startMs) / 1000), `${recordsPerBatch} records a batch`);
  await consumer.close();
}

function print(name: string, rate: number, note: string): void {
  const perRecord = `${((1e9 / rate) | 0).toString().padStart(5)} ns a record`;
  console.log(
    `${name.padEnd(44)} ${Math.round(rate).toLocaleString('en').padStart(12)} records/s ${perRecord}  ${note}`,
  );
}

const only = process.argv[3];
const buffer = Buffer.alloc(RECORD_BYTES, 'x');
const cases: Record<string, () => Promise<void>> = {
  send100: () => produce(buffer, 'send, 100 records a call, Buffers', RECORDS_PER_SEND),
  send100s: () => produce('x'.repeat(RECORD_BYTES), 'send, 100 records a call, strings', RECORDS_PER_SEND),
  send1: () => produce(buffer, 'send, 1 record a call', 1),
  batches: () => consume('consume, for await over batches', 500, 'batch'),
  records: () => consume('consume, for await over records', 500, 'record'),
};
for (const [name, run] of Object.entries(cases)) if (only === undefined || only === name) await run();
await client.close();
