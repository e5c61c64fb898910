/**
 * A stream from the client's side. Both sinks end exactly once: `replies` by the server's end, by its
 * refusal, by the break of the connection, or by the caller's own end with an error; the returned one by
 * whichever comes first.
 */
import { type ClientDuplexStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { CallOptions, Sink } from '../api/index.ts';
import { type AnyMethod, OutboundSink } from '../protobuf/index.ts';
import type { Channel, OpenCall } from './channel.ts';
import { decodeReply, encodeRequest, identity } from './client-unary.ts';
import { Inbound } from './inbound.ts';
import type { GrpcLimits } from './limits.ts';
import { fromStatus } from './status.ts';

export function callDuplex(
  channel: Channel,
  method: AnyMethod,
  replies: Sink<unknown>,
  options: CallOptions | undefined,
  limits: GrpcLimits,
): Sink<unknown> {
  options?.signal?.throwIfAborted();
  const open: OpenCall = { cancelWith: (error) => teardown(error) };
  const client = channel.begin(open);
  const deadline = options?.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs };
  const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
    method.path,
    identity,
    identity,
    new Metadata(),
    deadline,
  );
  const requests = new OutboundSink<unknown>(
    (message) => encodeRequest(method, message, limits),
    {
      write: (bytes, taken) => call.write(bytes, taken),
      finish: () => call.end(),
      abort: (error) => teardown(error),
    },
    limits,
  );
  const inbound = new Inbound(
    call,
    (bytes) => decodeReply(method, bytes, channel.peer),
    replies,
    (error) => teardown(error as Error),
  );
  const abort = (): void => teardown(options?.signal?.reason);
  options?.signal?.addEventListener('abort', abort, { once: true });

  let over = false;
  const close = (error: Error | undefined): void => {
    if (over) return;
    over = true;
    options?.signal?.removeEventListener('abort', abort);
    requests.close(error);
    channel.end(open);
    if (error !== undefined) inbound.end(error);
  };
  const teardown = (error: Error): void => {
    if (over) return;
    call.cancel();
    // Not from within the caller's own call: an `end` that answers an `end` would surprise it.
    requests.close(error);
    queueMicrotask(() => close(error));
  };
  call.on('error', (failure: ServiceError) => close(fromStatus(failure, channel.peer)));
  call.on('status', () => close(undefined));
  return requests;
}
