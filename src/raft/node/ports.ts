import type { MonotonicMs, NodeId, Offset, Random } from '../../base/index.ts';
import type { Exit, Logger, Timers } from '../../env/index.ts';
import type {
  Entry,
  HardState,
  IdentifyReply,
  IdentifyRequest,
  QuorumAnswer,
  QuorumRequest,
} from '../core/index.ts';

/** Undefined: done. An error ends the process: nothing is known about what is on disk. */
export type Saved = (error?: unknown) => void;

/** The store of a quorum node with callbacks, so that the driver above it needs no promise. */
export interface QuorumStorage {
  saveHardState(state: HardState, done: Saved): void;
  append(
    entries: readonly Entry[],
    options: { readonly truncateFrom?: Offset; readonly sync: boolean },
    done: Saved,
  ): void;
  /** Entries in `[from, to)`, at least one, both bounds durable. */
  read(from: Offset, to: Offset, maxBytes: number, done: (result: ReadResult) => void): void;
}

export type ReadResult =
  | { readonly kind: 'entries'; readonly entries: readonly Entry[] }
  | { readonly kind: 'failed'; readonly error: unknown };

/** `disconnected`: not silence, the connection broke or could not be made. */
export type CallResult<Answer> =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly disconnected: boolean };

/** Calls to other nodes of the quorum. `done` is called once, at the latest about `timeoutMs` later. */
export interface QuorumCalls {
  call(
    to: NodeId,
    message: QuorumRequest,
    timeoutMs: number,
    done: (result: CallResult<QuorumAnswer>) => void,
  ): void;
  identify(
    to: NodeId,
    request: IdentifyRequest,
    timeoutMs: number,
    done: (result: CallResult<IdentifyReply>) => void,
  ): void;
}

/** Everything outside of a driver. */
export interface DriverPorts {
  readonly storage: QuorumStorage;
  readonly calls: QuorumCalls;
  readonly nowMs: () => MonotonicMs;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly exit: Exit;
}
