/**
 * Serves one bidirectional stream of requests and replies, many in flight, bounded by a window.
 *
 * `handle` is called in the order of arrival and before the next request is taken; replies go out as they are ready. What
 * a request holds is given back only when its reply has left, so a client that does not read stops being read. A client
 * that ignores the window loses its stream.
 */
import { ApiError } from '../../base/index.ts';
import type { CallContext, Sink } from '../../rpc/api/index.ts';
import type { Window } from './window.ts';

export interface RequestStream<Request, Reply> {
  readonly replies: Sink<Reply>;
  readonly call: CallContext;
  /** What `request` counts against, and whose room the next one waits for. */
  readonly windowOf: (request: Request) => Window;
  readonly sizeOf: (request: Request) => number;
  /** Resolves with undefined when the request gets no reply; a rejection ends the stream with that error. */
  readonly handle: (request: Request, signal: AbortSignal) => Promise<Reply | undefined>;
}

export function serveRequestStream<Request, Reply>(stream: RequestStream<Request, Reply>): Sink<Request> {
  const { replies } = stream;
  let last: Window | undefined;
  const abort = new AbortController();
  let inFlight = 0;
  let noMoreRequests = false;
  let over = false;

  const finish = (error?: Error): void => {
    if (over) return;
    over = true;
    stream.call.signal.removeEventListener('abort', cancelled);
    replies.end(error);
    abort.abort(new ApiError('NETWORK_EXCEPTION', 'the stream has ended'));
  };
  const cancelled = (): void => finish();
  stream.call.signal.addEventListener('abort', cancelled, { once: true });
  if (stream.call.signal.aborted) finish();

  let room: Promise<void> | undefined;
  const answer = async (reply: Reply): Promise<void> => {
    while (room !== undefined) await room;
    if (over || replies.send(reply)) return;
    room = replies.drained().finally(() => {
      room = undefined;
    });
    await room;
  };
  const run = async (request: Request): Promise<void> => {
    try {
      const reply = await stream.handle(request, abort.signal);
      if (reply !== undefined && !over) await answer(reply);
    } catch (error) {
      finish(error instanceof Error ? error : new ApiError('UNKNOWN_SERVER_ERROR'));
    }
  };

  return {
    send(request) {
      if (over || noMoreRequests) return true;
      const window = stream.windowOf(request);
      last = window;
      if (window.overrun) {
        finish(
          new ApiError('RESOURCE_EXHAUSTED', 'more requests in flight than the stream was given room for'),
        );
        return true;
      }
      const size = stream.sizeOf(request);
      window.take(size);
      inFlight += 1;
      void run(request).finally(() => {
        inFlight -= 1;
        window.give(size);
        if (noMoreRequests && inFlight === 0) finish();
      });
      return !window.full;
    },
    drained: () => last?.drained() ?? Promise.resolve(),
    end(error) {
      noMoreRequests = true;
      if (error !== undefined || inFlight === 0) finish();
    },
  };
}
