/**
 * One gRPC channel to one address, made at the first call.
 *
 * Once it has failed to connect, grpc-js goes on dialling in the background and refuses calls at once until
 * it succeeds. The pauses between two attempts are kept short, so that a process that was killed is found
 * as soon as it is back, whatever its callers did meanwhile. (A channel per attempt is no way: a closed one
 * of grpc-js 1.14 may dial once more, and then nobody owns the connection.)
 */
import { type ChannelOptions, Client, credentials } from '@grpc/grpc-js';
import { EnvironmentError } from '../../base/index.ts';
import { type Address, formatAddress } from '../api/index.ts';
import {
  FLOW_CONTROL_WINDOW_BYTES,
  type GrpcLimits,
  KEEPALIVE_TIME_MS,
  KEEPALIVE_TIMEOUT_MS,
  RECONNECT_BACKOFF_MS,
  RECONNECT_BACKOFF_MS_MAX,
} from './limits.ts';

/** A call under way: what `close` ends. */
export interface OpenCall {
  cancelWith(error: Error): void;
}

export class Channel {
  readonly peer: string;
  readonly #options: ChannelOptions;
  readonly #calls = new Set<OpenCall>();
  #client: Client | undefined;
  #closed = false;

  constructor(address: Address, limits: GrpcLimits) {
    this.peer = formatAddress(address);
    this.#options = {
      'grpc.max_receive_message_length': limits.replyBytesMax,
      'grpc.max_send_message_length': -1,
      'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      'grpc.initial_reconnect_backoff_ms': RECONNECT_BACKOFF_MS,
      'grpc.max_reconnect_backoff_ms': RECONNECT_BACKOFF_MS_MAX,
      // Else two connections to one address would share a socket, and each other's backoff.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
    };
  }

  /** The client to start `call` with. Throws EnvironmentError 'closed' after close. */
  begin(call: OpenCall): Client {
    if (this.#closed) throw this.#closedError();
    this.#client ??= new Client(this.peer, credentials.createInsecure(), this.#options);
    this.#calls.add(call);
    return this.#client;
  }

  /** The call is over. */
  end(call: OpenCall): void {
    this.#calls.delete(call);
  }

  #closedError(): EnvironmentError {
    return new EnvironmentError('closed', this.peer, `the connection to ${this.peer} has been closed`);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const error = this.#closedError();
    for (const call of [...this.#calls]) call.cancelWith(error);
    this.#client?.close();
  }
}
