import { ApiError, NONE, type Offset, type ProducerId, type WallMs } from '../../base/index.ts';
import type { BatchHeader } from '../record/index.ts';

/** What is noted of a batch: the header of a stored one, or what a leader knows that made one of a produced one. */
export type RecordedBatch = Pick<
  BatchHeader,
  | 'producerId'
  | 'producerEpoch'
  | 'baseSequence'
  | 'lastOffsetDelta'
  | 'lastOffset'
  | 'maxTimestamp'
  | 'isControl'
>;

/** One batch of a producer, by which a repetition is known. */
export interface ProducerBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly lastOffset: Offset;
  readonly offsetDelta: number;
  readonly timestampMs: WallMs;
}

/** What one log knows of one producer. */
export interface ProducerState {
  readonly producerId: ProducerId;
  readonly producerEpoch: number;
  /** Oldest first, at most {@link BATCHES_PER_PRODUCER}; empty after a new epoch began with a marker. */
  readonly batches: readonly ProducerBatch[];
  readonly lastTimestampMs: WallMs;
  /** When the broker heard of it last, to within two looks for silent ones; see {@link NOT_LOOKED_SINCE}. */
  readonly heardMs: WallMs;
}

/** Heard of since the process began, and the first look for silent producers is still to come. */
export const NOT_LOOKED_SINCE: WallMs = Number.MAX_SAFE_INTEGER;
/** As many requests as an idempotent producer may have in flight. */
export const BATCHES_PER_PRODUCER = 5;
/**
 * At the bound the tenth of the producers that has been silent longest is forgotten, as if it had expired.
 */
export const PRODUCERS_MAX = 100_000;
const SEQUENCE_COUNT = 2 ** 31;

/**
 * Sequence numbers per producer id, by which a leader tells a repeated batch from a new one and a missing
 * one. Order of the checks: known batch, epoch, sequence. Followers and recovery only record.
 *
 * Of a producer that is forgotten too early any batch is taken for new, a repeated one too. So the clock of the broker
 * counts, not only the timestamps of records: these may be old, of the future or missing (KAFKA-6817). A batch that was
 * recorded after a look for silent producers is no older than that look.
 * Source: KIP-98, Kafka's ProducerAppendInfo and ProducerStateEntry.
 */
export class ProducerStates {
  /** Those that have been silent longest come first, by the order of the log: timestamps are the producers' own. */
  readonly #states = new Map<ProducerId, ProducerState>();
  /** When silent producers were last looked for. */
  #lookedMs = NOT_LOOKED_SINCE;
  /** Where the newest snapshot file of these states stands; undefined: none is known. */
  savedOffset: Offset | undefined;

  get count(): number {
    return this.#states.size;
  }

  all(): Iterable<ProducerState> {
    return this.#states.values();
  }

  find(producerId: ProducerId): ProducerState | undefined {
    return this.#states.get(producerId);
  }

  /**
   * The earlier append of exactly this batch, or undefined when it is the one to come next. Throws ApiError
   * INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER. Changes nothing.
   */
  check(header: BatchHeader): ProducerBatch | undefined {
    const state = this.#states.get(header.producerId);
    if (state === undefined) return undefined;
    const { producerEpoch, baseSequence } = header;
    if (producerEpoch === state.producerEpoch) {
      const last = lastSequenceOf(header);
      const known = state.batches.find((b) => b.firstSequence === baseSequence && b.lastSequence === last);
      if (known !== undefined) return known;
    }
    if (producerEpoch < state.producerEpoch)
      throw new ApiError(
        'INVALID_PRODUCER_EPOCH',
        `producer ${header.producerId} has epoch ${state.producerEpoch}; the batch comes from epoch ${producerEpoch}`,
      );
    const expected = producerEpoch === state.producerEpoch ? nextSequence(state) : 0;
    if (baseSequence !== expected)
      throw new ApiError(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        `producer ${header.producerId} must send sequence ${expected} next; the batch begins with ${baseSequence}`,
      );
    return undefined;
  }

  /** Records a batch that is in the log. */
  record(header: RecordedBatch): void {
    const { producerId, producerEpoch } = header;
    if (producerId === NONE) return;
    const state = this.#states.get(producerId);
    const kept = state !== undefined && state.producerEpoch === producerEpoch ? state.batches : [];
    if (state === undefined && this.#states.size >= PRODUCERS_MAX) this.#forgetSilent();
    const batches = header.isControl
      ? kept
      : [...kept.slice(1 - BATCHES_PER_PRODUCER), toProducerBatch(header)];
    this.#states.delete(producerId);
    this.#states.set(producerId, {
      producerId,
      producerEpoch,
      batches,
      lastTimestampMs: header.maxTimestamp,
      heardMs: Math.max(header.maxTimestamp, this.#lookedMs),
    });
  }

  /** From a snapshot: an entry of a producer adds its batch to those of the entries before it. */
  restore(state: ProducerState): void {
    const before = this.#states.get(state.producerId);
    const kept = before?.producerEpoch === state.producerEpoch ? before.batches : [];
    const batches = [...kept, ...state.batches].slice(-BATCHES_PER_PRODUCER);
    const heardMs = Math.max(state.heardMs, before?.heardMs ?? NONE);
    this.#states.set(state.producerId, { ...state, batches, heardMs });
  }

  /** Forgets producers that have been silent for more than `expirationMs`. */
  expire(nowMs: WallMs, expirationMs: number): void {
    for (const [id, state] of this.#states) {
      const heardMs = Math.min(state.heardMs, nowMs);
      if (nowMs - heardMs > expirationMs) this.#states.delete(id);
      else if (heardMs !== state.heardMs) this.#states.set(id, { ...state, heardMs });
    }
    this.#lookedMs = nowMs;
  }

  clear(): void {
    this.savedOffset = undefined;
    this.#states.clear();
  }

  #forgetSilent(): void {
    let count = Math.ceil(this.#states.size / 10);
    for (const id of this.#states.keys()) {
      if (count-- === 0) return;
      this.#states.delete(id);
    }
  }
}

function lastSequenceOf(header: Pick<BatchHeader, 'baseSequence' | 'lastOffsetDelta'>): number {
  return (header.baseSequence + header.lastOffsetDelta) % SEQUENCE_COUNT;
}

function nextSequence(state: ProducerState): number {
  const last = state.batches.at(-1);
  return last === undefined ? 0 : (last.lastSequence + 1) % SEQUENCE_COUNT;
}

function toProducerBatch(header: RecordedBatch): ProducerBatch {
  return {
    firstSequence: header.baseSequence,
    lastSequence: lastSequenceOf(header),
    lastOffset: header.lastOffset,
    offsetDelta: header.lastOffsetDelta,
    timestampMs: header.maxTimestamp,
  };
}
