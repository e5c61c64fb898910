import { BatchBuilder, type NewRecord, type RecordRules } from '../../../src/log/record/index.ts';

/** Rules that every record keeps. */
export const ANY: RecordRules = { timestampMin: -Infinity, timestampMax: Infinity, requireKeys: false };

/** A batch in clear. */
export function build(records: readonly Partial<NewRecord>[]): Buffer {
  const builder = new BatchBuilder({ compression: 'none' });
  for (const record of records) builder.append({ timestampMs: 1000, ...record });
  return Buffer.from(builder.build());
}
