/** Encoding and decoding of record batches, without a log. */
import { decodeRecords } from '../../src/log/record/index.ts';
import { count, printRow } from '../figures.ts';
import { batchOf, seconds } from './world.ts';

const RECORDS = 400_000;

export async function benchRecords(): Promise<void> {
  for (const records of [1, 10, 100, 1000]) {
    const rounds = RECORDS / records;
    for (const warm of [true, false]) {
      let start = performance.now();
      let batch: Uint8Array = new Uint8Array();
      for (let i = 0; i < rounds; i++) batch = batchOf(records);
      const encoded = RECORDS / seconds(start);
      start = performance.now();
      let decoded = 0;
      for (let i = 0; i < rounds; i++) decoded += [...decodeRecords(batch)].length;
      if (warm) continue;
      printRow({
        what: 'records',
        settings: `100 B, ${records} a batch`,
        figures: { 'encoded/s': count(encoded), 'decoded/s': count(decoded / seconds(start)) },
      });
    }
  }
}
