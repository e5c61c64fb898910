/** The two doors of fetch: one call for one request, and a stream for many. */
import type { CallContext, FetchReply, FetchRequest, Sink } from '../../rpc/api/index.ts';
import { serveRequestStream } from '../flow/request-stream.ts';
import { Window } from '../flow/window.ts';
import type { FetchService } from './fetch-service.ts';

/** Of one stream; a consumer needs one per broker, or a few when it reads ahead. */
const STREAM_FETCHES_MAX = 16;

export class FetchEndpoint {
  readonly #service: FetchService;
  readonly #maxBytes: number;

  constructor(service: FetchService, maxBytes: number) {
    this.#service = service;
    this.#maxBytes = maxBytes;
  }

  fetch(request: FetchRequest, call: CallContext): Promise<FetchReply> {
    return this.#service.fetch(request, call.signal);
  }

  fetchStream(replies: Sink<FetchReply>, call: CallContext): Sink<FetchRequest> {
    // A fetch may bring as much as it allows: that is what it counts for until its reply has left.
    const window = new Window({ countMax: STREAM_FETCHES_MAX, bytesMax: this.#maxBytes });
    return serveRequestStream<FetchRequest, FetchReply>({
      replies,
      call,
      windowOf: () => window,
      sizeOf: (request) => Math.min(Math.max(0, request.maxBytes), this.#maxBytes),
      handle: (request, signal) => this.#service.fetch(request, signal),
    });
  }
}
