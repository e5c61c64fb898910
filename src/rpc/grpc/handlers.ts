/** The server side of calls: bytes to messages, an implementation's method, its outcome to the wire. */
import type {
  handleBidiStreamingCall,
  handleUnaryCall,
  ServerDuplexStream,
  ServerUnaryCall,
  sendUnaryData,
} from '@grpc/grpc-js';
import { ApiError, AssertionError } from '../../base/index.ts';
import type { Logger } from '../../env/index.ts';
import type { CallContext, Sink } from '../api/index.ts';
import { type AnyMethod, OutboundSink } from '../protobuf/index.ts';
import { frame } from './frame.ts';
import { Inbound } from './inbound.ts';
import type { GrpcLimits } from './limits.ts';
import { ServerCall } from './server-call.ts';
import { disconnected, toStatus } from './status.ts';

export type UnaryImplementation = (request: unknown, call: CallContext) => Promise<unknown>;
export type DuplexImplementation = (replies: Sink<unknown>, call: CallContext) => Sink<unknown>;

/** Of one method of one listener. */
export interface HandlerContext {
  readonly method: AnyMethod;
  readonly limits: GrpcLimits;
  readonly logger: Logger;
}

export function unaryHandler(
  context: HandlerContext,
  implementation: UnaryImplementation,
): handleUnaryCall<Buffer, Buffer> {
  const { method, limits } = context;
  const run = async (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): Promise<void> => {
    const server = new ServerCall(call.getPeer());
    // Also comes after a normal end.
    let answered = false;
    call.on('cancelled', () => {
      if (!answered) server.end(disconnected(server.peer, 'the caller has left'));
    });
    try {
      const request = method.request.decode(call.request, limits.requestElementsMax);
      const reply = await implementation(request, server);
      const bytes = frame(method.reply, reply);
      answered = true;
      done(null, bytes);
    } catch (error) {
      if (!server.isEndedBy(error)) logUnexpected(context, server.peer, error);
      answered = true;
      done(toStatus(error));
    }
  };
  return (call, done) => {
    void run(call, done);
  };
}

export function duplexHandler(
  context: HandlerContext,
  implementation: DuplexImplementation,
): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    try {
      serveDuplex(context, implementation, call);
    } catch (error) {
      logUnexpected(context, call.getPeer(), error);
      call.emit('error', toStatus(error));
    }
  };
}

function serveDuplex(
  context: HandlerContext,
  implementation: DuplexImplementation,
  call: ServerDuplexStream<Buffer, Buffer>,
): void {
  const { method, limits } = context;
  const server = new ServerCall(call.getPeer());
  let inbound: Inbound<unknown> | undefined;
  let over = false;

  const close = (error: Error | undefined): void => {
    if (over) return;
    over = true;
    replies.close(error);
    server.end(error ?? disconnected(server.peer, 'the stream has ended'));
    inbound?.end(error);
  };
  const abort = (error: Error): void => {
    if (over) return;
    if (!server.isEndedBy(error)) logUnexpected(context, server.peer, error);
    call.emit('error', toStatus(error));
    replies.close(error);
    queueMicrotask(() => close(error));
  };
  let finished = false;
  const replies = new OutboundSink<unknown>(
    (reply) => frame(method.reply, reply),
    {
      write: (bytes, taken) => call.write(bytes, taken),
      finish: () => {
        finished = true;
        call.end();
      },
      abort,
    },
    limits,
  );
  // Also comes after a normal end, when the last bytes have left.
  call.on('cancelled', () => close(finished ? undefined : disconnected(server.peer, 'the caller has left')));
  const requests = implementation(replies, server);
  inbound = new Inbound(
    call,
    (bytes) => method.request.decode(bytes, limits.requestElementsMax),
    requests,
    (error) => abort(error as Error),
  );
  if (over) inbound.end(disconnected(server.peer, 'the stream has ended'));
}

/** A refusal is for its caller; anything else is for a person, with the stack. */
function logUnexpected(context: HandlerContext, peer: string, error: unknown): void {
  const fields = { method: context.method.path, peer, error };
  if (error instanceof ApiError) context.logger.debug(fields, 'refused a call');
  else if (error instanceof AssertionError) context.logger.error(fields, 'a call met a bug');
  else context.logger.error(fields, 'a call failed unexpectedly');
}
