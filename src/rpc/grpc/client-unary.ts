import { type ClientUnaryCall, Metadata, type ServiceError } from '@grpc/grpc-js';
import { ApiError, EnvironmentError } from '../../base/index.ts';
import type { CallOptions } from '../api/index.ts';
import type { AnyMethod } from '../protobuf/index.ts';
import type { Channel } from './channel.ts';
import { frame } from './frame.ts';
import { CALL_TIMEOUT_MS_DEFAULT, type GrpcLimits, REPLY_ELEMENTS_MAX } from './limits.ts';
import { fromStatus } from './status.ts';

/** Messages are encoded by rpc/protobuf, so that its refusals keep their names; grpc-js only frames bytes. */
export const identity = (bytes: Buffer): Buffer => bytes;

export function encodeRequest(method: AnyMethod, request: unknown, limits: GrpcLimits): Buffer {
  const bytes = frame(method.request, request);
  if (bytes.length > limits.requestBytesMax)
    throw new ApiError(
      'MESSAGE_TOO_LARGE',
      `${method.name}: the request has ${bytes.length} bytes; at most ${limits.requestBytesMax} are allowed`,
    );
  return bytes;
}

export function decodeReply(method: AnyMethod, bytes: Buffer, peer: string): unknown {
  try {
    return method.reply.decode(bytes, REPLY_ELEMENTS_MAX);
  } catch (error) {
    // Whatever the request did, it did: a refusal of ours must not claim that it had no effect.
    throw new EnvironmentError(
      'other',
      peer,
      `${method.name}: ${peer} sent a reply that cannot be read`,
      error,
    );
  }
}

/** Rejects with ApiError, EnvironmentError, or the reason of the signal. */
export async function callUnary(
  channel: Channel,
  method: AnyMethod,
  request: unknown,
  options: CallOptions | undefined,
  limits: GrpcLimits,
): Promise<unknown> {
  options?.signal?.throwIfAborted();
  const bytes = encodeRequest(method, request, limits);
  const reply = await exchange(channel, method, bytes, options);
  return decodeReply(method, reply, channel.peer);
}

function exchange(
  channel: Channel,
  method: AnyMethod,
  bytes: Buffer,
  options: CallOptions | undefined,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let call: ClientUnaryCall | undefined;
    let cancelledWith: Error | undefined;
    const cancelWith = (error: Error): void => {
      cancelledWith ??= error;
      call?.cancel();
    };
    const abort = (): void => cancelWith(options?.signal?.reason);
    const open = { cancelWith };
    const client = channel.begin(open);
    options?.signal?.addEventListener('abort', abort, { once: true });
    const done = (failure: ServiceError | null, reply?: Buffer): void => {
      options?.signal?.removeEventListener('abort', abort);
      channel.end(open);
      if (failure === null) resolve(reply as Buffer);
      else reject(cancelledWith ?? fromStatus(failure, channel.peer));
    };
    const deadline = Date.now() + (options?.timeoutMs ?? CALL_TIMEOUT_MS_DEFAULT);
    call = client.makeUnaryRequest(
      method.path,
      identity,
      identity,
      bytes,
      new Metadata(),
      { deadline },
      done,
    );
  });
}
