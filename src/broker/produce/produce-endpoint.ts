/**
 * The two doors of produce: one call for one request, and a stream for many.
 *
 * Requests that other brokers sent on have a budget of their own: they wait for nobody but this broker's replicas. In one
 * budget with the clients' two brokers could each be full of requests for the other, and neither would read them.
 */
import { ApiError } from '../../base/index.ts';
import type { CallContext, ProduceReply, ProduceRequest, Sink } from '../../rpc/api/index.ts';
import { serveRequestStream } from '../flow/request-stream.ts';
import { Window } from '../flow/window.ts';
import { produceRequestBytes } from './produce-replies.ts';
import type { ProduceService } from './produce-service.ts';

/** Of one stream: enough to keep a fast producer busy over a round trip, little enough that one cannot take all. */
const STREAM_REQUESTS_MAX = 256;
const STREAM_BYTES_MAX = 16 * 1024 * 1024;
const BROKER_REQUESTS_MAX = 100_000;

export class ProduceEndpoint {
  readonly #service: ProduceService;
  readonly #clients: Window;
  readonly #forwarded: Window;

  constructor(service: ProduceService, inflightBytesMax: number) {
    this.#service = service;
    const limits = { countMax: BROKER_REQUESTS_MAX, bytesMax: inflightBytesMax };
    this.#clients = new Window(limits);
    this.#forwarded = new Window(limits);
  }

  /** Requests that wait for their reply. */
  get inFlightCount(): number {
    return this.#clients.count + this.#forwarded.count;
  }

  async produce(request: ProduceRequest): Promise<ProduceReply> {
    const window = request.forwarded ? this.#forwarded : this.#clients;
    if (window.full)
      throw new ApiError('RESOURCE_EXHAUSTED', 'the broker holds as many requests as it may; try again');
    const size = produceRequestBytes(request);
    window.take(size);
    try {
      return await this.#service.produce(request);
    } finally {
      window.give(size);
    }
  }

  produceStream(replies: Sink<ProduceReply>, call: CallContext): Sink<ProduceRequest> {
    const limits = { countMax: STREAM_REQUESTS_MAX, bytesMax: STREAM_BYTES_MAX };
    const clients = new Window(limits, this.#clients);
    const forwarded = new Window(limits, this.#forwarded);
    return serveRequestStream<ProduceRequest, ProduceReply>({
      replies,
      call,
      windowOf: (request) => (request.forwarded ? forwarded : clients),
      sizeOf: produceRequestBytes,
      handle: async (request) => {
        const reply = await this.#service.produce(request);
        if (request.acks !== 0) return reply;
        // No reply is owed; a producer learns of a failure by the end of its stream.
        const failed = reply.partitions.find((one) => one.error !== 'NONE');
        if (failed === undefined || failed.error === 'NONE') return undefined;
        throw new ApiError(failed.error, failed.errorMessage);
      },
    });
  }
}
