/**
 * Produce requests on their way to another broker: one stream per broker, so that they arrive in the order they left.
 *
 * Order matters to an idempotent producer whose batches come in at the wrong broker: two of them in flight must not
 * overtake one another. When the stream breaks, nobody knows what of the requests in flight was appended: each fails with
 * an indefinite error, and the next request opens a new stream.
 */
import { EnvironmentError } from '../../base/index.ts';
import type { Timer, Timers } from '../../env/index.ts';
import type {
  Connection,
  ProducePartitionReply,
  ProduceReply,
  ProduceRequest,
  Sink,
} from '../../rpc/api/index.ts';

/** Requests in flight to one broker; beyond it they are refused, and the producer tries again. */
export const LANE_REQUESTS_MAX = 4_096;
/** On top of what the leader may wait for replicas. */
const ROAD_MS = 2_000;

interface Pending {
  readonly resolve: (replies: readonly ProducePartitionReply[]) => void;
  readonly reject: (error: Error) => void;
  readonly timer: Timer;
}

/** One stream and what is in flight on it. */
interface Stream {
  readonly requests: Sink<ProduceRequest>;
  readonly pending: Map<number, Pending>;
  /** Handed over while the stream had no room; sent in order when it has. Bounded by what producers may have in flight. */
  readonly queue: ProduceRequest[];
  readonly over: (error: Error) => void;
  state: 'open' | 'full' | 'over';
}

export class ProduceLane {
  readonly #connection: Connection;
  readonly #timers: Timers;
  #stream: Stream | undefined;
  #correlationId = 0;

  constructor(connection: Connection, timers: Timers) {
    this.#connection = connection;
    this.#timers = timers;
  }

  get inFlight(): number {
    return this.#stream?.pending.size ?? 0;
  }

  get connection(): Connection {
    return this.#connection;
  }

  /**
   * Sends before it returns. Resolves with one reply per partition of the request, in its order; rejects with
   * EnvironmentError when the outcome is unknown. `request.acks` must not be 0: nobody would hear of failures.
   */
  produce(request: ProduceRequest): Promise<readonly ProducePartitionReply[]> {
    const stream = this.#open();
    this.#correlationId += 1;
    const correlationId = this.#correlationId;
    const { promise, resolve, reject } = Promise.withResolvers<readonly ProducePartitionReply[]>();
    const timer = this.#timers.after(request.timeoutMs + ROAD_MS, () => {
      stream.pending.delete(correlationId);
      reject(new EnvironmentError('deadline-exceeded', 'produce', 'the leader did not answer in time'));
    });
    stream.pending.set(correlationId, { resolve, reject, timer });
    stream.queue.push({ ...request, correlationId, forwarded: true });
    send(stream);
    return promise;
  }

  close(): void {
    this.#stream?.requests.end(new EnvironmentError('closed', 'produce', 'the broker is closing'));
    this.#stream?.over(new EnvironmentError('closed', 'produce', 'the broker is closing'));
  }

  #open(): Stream {
    if (this.#stream !== undefined) return this.#stream;
    const pending = new Map<number, Pending>();
    const over = (error: Error): void => {
      if (stream !== undefined) stream.state = 'over';
      if (this.#stream === stream) this.#stream = undefined;
      for (const waiting of pending.values()) {
        waiting.timer.cancel();
        waiting.reject(error);
      }
      pending.clear();
    };
    let stream: Stream | undefined;
    const replies: Sink<ProduceReply> = {
      send: (reply) => {
        const waiting = pending.get(reply.correlationId);
        pending.delete(reply.correlationId);
        waiting?.timer.cancel();
        waiting?.resolve(reply.partitions);
        return true;
      },
      drained: () => Promise.resolve(),
      end: (error) => over(roadError(error)),
    };
    const requests = this.#connection.broker.produceStream(replies, {});
    stream = { requests, pending, queue: [], over, state: 'open' };
    this.#stream = stream;
    return stream;
  }
}

/** Sends what waits while there is room; a stream that is over has failed everything in it. */
function send(stream: Stream): void {
  while (stream.state === 'open') {
    const request = stream.queue.shift();
    if (request === undefined) return;
    if (!stream.pending.has(request.correlationId)) continue; // its time is over
    if (stream.requests.send(request)) continue;
    stream.state = 'full';
    const resume = (): void => {
      if (stream.state === 'full') stream.state = 'open';
      send(stream);
    };
    stream.requests.drained().then(resume, () => {});
  }
}

/** The connection could not be made: nothing has left. In any other way a stream ends, something may have been appended. */
function roadError(error: Error | undefined): EnvironmentError {
  if (error instanceof EnvironmentError && error.reason === 'unreachable') return error;
  return new EnvironmentError('disconnected', 'produce', 'the leader ended the stream', error);
}
