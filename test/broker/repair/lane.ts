/** A partition of the test, and what it must hold: record n of its one producer, which says so, at offset n. */
import {
  batches,
  type CompressionType,
  decodeRecords,
  validateBatch,
} from '../../../src/log/record/index.ts';

export interface Lane {
  readonly topic: string;
  readonly partition: number;
  /** `<topic>-<partition>`. */
  readonly name: string;
  readonly compression: CompressionType;
  producerId: number;
  /** Records that are acknowledged; the next batch begins here. */
  acked: number;
  /** Leader epoch of each batch as it was seen first, by base offset. */
  readonly epochs: Map<number, number>;
  consumed: number;
  sending: Promise<void>;
}

export function laneOf(topic: string, partition: number, compression: CompressionType): Lane {
  return {
    topic,
    partition,
    name: `${topic}-${partition}`,
    compression,
    producerId: -1,
    acked: 0,
    epochs: new Map(),
    consumed: 0,
    sending: Promise.resolve(),
  };
}

/** What a batch stored or served at `next` should not be. */
export function findProblem(lane: Lane, batch: Uint8Array, next: number): string | undefined {
  const problem = validateBatch(batch);
  if (problem !== undefined) return problem.message;
  for (const { offset, value } of decodeRecords(batch)) {
    const text = Buffer.from(value ?? '').toString();
    if (text !== textOf(lane, offset)) return `${text} at offset ${offset}`;
  }
  const [first] = batches(batch);
  if (first === undefined) return 'nothing';
  const { baseOffset, lastOffset, leaderEpoch } = first.header;
  if (baseOffset > next || lastOffset < next) return `[${baseOffset}, ${lastOffset}]`;
  const epoch = lane.epochs.get(baseOffset) ?? leaderEpoch;
  lane.epochs.set(baseOffset, epoch);
  if (epoch !== leaderEpoch) return `leader epoch ${leaderEpoch} for ${epoch}`;
  return undefined;
}

export function textOf({ name }: Lane, offset: number): string {
  return `${name} ${offset} ${'x'.repeat((offset * 7) % 60)}`;
}
