/**
 * A partition as a correct leader keeps it: one perfectly replicated log, producers' sequences checked as a
 * broker does.
 */
import type { ErrorCode } from '../../src/base/index.ts';
import {
  batches,
  decodeRecords,
  producerBatchProblem,
  readBatchHeader,
  stampBatch,
  validateBatch,
} from '../../src/log/record/index.ts';

interface Producer {
  epoch: number;
  /** The last five batches. */
  last: { base: number; count: number; offset: number }[];
}

export class FakePartition {
  leaderId: number;
  leaderEpoch = 0;
  logStart = 0;
  maxBatchBytes = 1_048_588;
  log: Uint8Array[] = [];
  readonly producers = new Map<number, Producer>();

  constructor(leaderId: number) {
    this.leaderId = leaderId;
  }

  get end(): number {
    const last = this.log.at(-1);
    return last === undefined ? this.logStart : readBatchHeader(last).lastOffset + 1;
  }

  lead(leaderId: number): void {
    this.leaderId = leaderId;
    this.leaderEpoch++;
  }

  /** Takes over a copy of `wire`, or refuses. */
  append(wire: Uint8Array): { error: ErrorCode; message?: string; offset: number } {
    const bytes = Uint8Array.from(wire);
    const header = readBatchHeader(bytes);
    const problem = validateBatch(bytes) ?? producerBatchProblem(header);
    if (problem !== undefined) return { error: problem.code, message: problem.message, offset: -1 };
    if (bytes.length > this.maxBatchBytes) return { error: 'MESSAGE_TOO_LARGE', offset: -1 };
    const { producerId, producerEpoch, baseSequence, count } = header;
    if (producerId >= 0) {
      const known = this.producers.get(producerId);
      if (known !== undefined && producerEpoch < known.epoch)
        return { error: 'INVALID_PRODUCER_EPOCH', offset: -1 };
      const current = known?.epoch === producerEpoch ? known : undefined;
      const twin = current?.last.find((one) => one.base === baseSequence && one.count === count);
      if (twin !== undefined) return { error: 'NONE', offset: twin.offset };
      const before = current?.last.at(-1);
      const expected = before === undefined ? 0 : (before.base + before.count) % 2 ** 31;
      if (baseSequence !== expected) return { error: 'OUT_OF_ORDER_SEQUENCE_NUMBER', offset: -1 };
      const last = [...(current?.last ?? []), { base: baseSequence, count, offset: this.end }].slice(-5);
      this.producers.set(producerId, { epoch: producerEpoch, last });
    }
    const offset = this.end;
    stampBatch(bytes, { baseOffset: offset, leaderEpoch: this.leaderEpoch });
    this.log.push(bytes);
    return { error: 'NONE', offset };
  }

  /** Whole batches from the one that holds `offset`. */
  read(offset: number, maxBytes: number): Uint8Array[] {
    const found: Uint8Array[] = [];
    let bytes = 0;
    for (const batch of this.log) {
      if (readBatchHeader(batch).lastOffset < offset) continue;
      if (found.length > 0 && bytes + batch.length > maxBytes) break;
      found.push(batch);
      bytes += batch.length;
    }
    return found;
  }

  /** Every value in the log, in order. */
  values(): string[] {
    return this.log.flatMap((batch) =>
      [...batches(batch)].flatMap(({ bytes }) =>
        [...decodeRecords(bytes)].map((record) => String(record.value)),
      ),
    );
  }
}
