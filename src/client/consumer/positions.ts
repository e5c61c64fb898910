/**
 * Looks up where partitions begin, end, or were at a time, when a reader's position is not known or not held
 * any more.
 *
 * Every look ends in one of three: the state has a position, it is to be tried again later, or the reader
 * fails.
 */
import { ApiError, type Offset } from '../../base/index.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { isTransient, toApiError } from '../failure.ts';
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, listOffsets } from './list-offsets.ts';
import { decideReset } from './offset-reset.ts';
import type { ConsumerConfig, StartPosition } from './options.ts';
import type { PartitionState } from './partition-state.ts';

export interface PositionEvents {
  readonly onFound: () => void;
  readonly onDelayed: (state: PartitionState) => void;
  readonly onFailure: (error: ApiError) => void;
}

/** Why a state has no position yet; undefined: it has one. */
type Failing = ApiError | 'later' | undefined;

export class Positions {
  readonly #cluster: Cluster;
  readonly #config: ConsumerConfig;
  readonly #signal: AbortSignal;
  readonly #events: PositionEvents;

  /** Nothing is told once `signal` has aborted. */
  constructor(cluster: Cluster, config: ConsumerConfig, signal: AbortSignal, events: PositionEvents) {
    this.#cluster = cluster;
    this.#config = config;
    this.#signal = signal;
    this.#events = events;
  }

  /** Moves `state` to the offset that `start` stands for. */
  find(state: PartitionState, start: StartPosition): void {
    this.#settle(state, this.#offsetOf(state, start), (offset) => {
      state.moveTo(offset);
      return undefined;
    });
  }

  /** The leader does not hold the position of `state`. */
  mend(state: PartitionState): void {
    const ask = async () => ({
      first: await this.#lookUp(state, EARLIEST_TIMESTAMP),
      end: await this.#lookUp(state, LATEST_TIMESTAMP),
    });
    this.#settle(state, ask(), (range) => this.#reset(state, range));
  }

  #reset(state: PartitionState, { first, end }: { first: Offset; end: Offset }): Failing {
    const { topic, partition, position, highWatermark: seenEnd } = state;
    const decision = decideReset({ position, seenEnd, first, end, reset: this.#config.offsetReset });
    switch (decision.kind) {
      case 'stay':
        state.moveTo(position);
        return 'later';
      case 'move':
        this.#cluster.environment.logger.warn(
          { topic, partition, from: position, to: decision.offset, why: decision.why },
          'offset out of range, moved',
        );
        state.moveTo(decision.offset);
        return undefined;
      case 'fail': {
        const range = `${topic}-${partition} holds offsets from ${first} to before ${end}, not ${position}`;
        const message = `${range}; seek, or choose offsetReset earliest or latest`;
        return new ApiError('OFFSET_OUT_OF_RANGE', message);
      }
    }
  }

  /** Waits for an answer about `state`, which is forgotten when the state has moved on meanwhile. */
  #settle<T>(state: PartitionState, answer: Promise<T>, use: (value: T) => Failing): void {
    const { turn } = state;
    const stale = (): boolean => this.#signal.aborted || state.turn !== turn;
    state.busy = true;
    answer.then(
      (value) => {
        if (stale()) return;
        const failure = use(value);
        if (failure === undefined) this.#events.onFound();
        else if (failure === 'later') this.#events.onDelayed(state);
        else this.#events.onFailure(failure);
      },
      (error: unknown) => {
        if (stale()) return;
        state.busy = false;
        if (isTransient(error)) this.#events.onDelayed(state);
        else this.#events.onFailure(toApiError(error, 'looking up offsets'));
      },
    );
  }

  async #offsetOf(state: PartitionState, start: StartPosition): Promise<Offset> {
    if (start === 'beginning') return this.#lookUp(state, EARLIEST_TIMESTAMP);
    if (start === 'end') return this.#lookUp(state, LATEST_TIMESTAMP);
    if ('offset' in start) return start.offset;
    const found = await this.#lookUp(state, start.timestampMs);
    return found >= 0 ? found : this.#lookUp(state, LATEST_TIMESTAMP);
  }

  async #lookUp({ topic, partition }: PartitionState, timestampMs: number): Promise<Offset> {
    const { isolation, requestTimeoutMs: timeoutMs } = this.#config;
    const options = { isolation, timeoutMs, signal: this.#signal };
    const [answer] = await listOffsets(this.#cluster, [{ topic, partition, timestampMs }], options);
    return answer?.offset ?? -1;
  }
}
