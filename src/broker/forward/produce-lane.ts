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
    stream.requests.send({ ...request, correlationId, forwarded: true });
    return promise;
  }

  close(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream === undefined) return;
    stream.requests.end();
    failAll(stream, new EnvironmentError('closed', 'produce', 'the broker is closing'));
  }

  #open(): Stream {
    if (this.#stream !== undefined) return this.#stream;
    const pending = new Map<number, Pending>();
    const replies: Sink<ProduceReply> = {
      send: (reply) => {
        const waiting = pending.get(reply.correlationId);
        pending.delete(reply.correlationId);
        waiting?.timer.cancel();
        waiting?.resolve(reply.partitions);
        return true;
      },
      drained: () => Promise.resolve(),
      end: (error) => {
        if (this.#stream?.pending === pending) this.#stream = undefined;
        const broken = new EnvironmentError('disconnected', 'produce', 'the leader ended the stream', error);
        failAll({ pending }, broken);
      },
    };
    this.#stream = { requests: this.#connection.broker.produceStream(replies, {}), pending };
    return this.#stream;
  }
}

function failAll(stream: Pick<Stream, 'pending'>, error: EnvironmentError): void {
  for (const waiting of stream.pending.values()) {
    waiting.timer.cancel();
    waiting.reject(error);
  }
  stream.pending.clear();
}
