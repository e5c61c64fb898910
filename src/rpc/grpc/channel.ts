/**
 * One gRPC channel to one address, made at the first call and made anew after it failed to connect.
 *
 * grpc-js waits longer and longer between attempts to reach a peer that is down. A caller that tries again knows better:
 * it gets a fresh channel, hence an attempt at once, if the last one failed at least RECONNECT_BACKOFF_MS ago. So a
 * process that was killed is found as soon as it is back, and a caller in a loop cannot dial in a loop.
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

interface Dialled {
  readonly client: Client;
  calls: number;
  retired: boolean;
}

export class Channel {
  readonly peer: string;
  readonly #options: ChannelOptions;
  readonly #calls = new Set<OpenCall>();
  #dialled: Dialled | undefined;
  #failedAtMs = Number.NEGATIVE_INFINITY;
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
      // Else two connections to one address would share a socket, and the fate of each other's backoff.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
    };
  }

  /** Starts a call. Throws EnvironmentError 'closed' after close. `end` must be called once when the call is over. */
  begin(call: OpenCall): { readonly client: Client; end(failedToConnect: boolean): void } {
    if (this.#closed) throw this.#closedError();
    const dialled = this.#dialled ?? this.#dial();
    dialled.calls++;
    this.#calls.add(call);
    return {
      client: dialled.client,
      end: (failedToConnect) => {
        this.#calls.delete(call);
        dialled.calls--;
        if (failedToConnect) this.#maybeRetire(dialled);
        if (dialled.retired && dialled.calls === 0) dialled.client.close();
      },
    };
  }

  #dial(): Dialled {
    const client = new Client(this.peer, credentials.createInsecure(), this.#options);
    this.#dialled = { client, calls: 0, retired: false };
    return this.#dialled;
  }

  #maybeRetire(dialled: Dialled): void {
    if (dialled.retired) return;
    const nowMs = performance.now();
    if (nowMs - this.#failedAtMs < RECONNECT_BACKOFF_MS) return;
    this.#failedAtMs = nowMs;
    dialled.retired = true;
    if (this.#dialled === dialled) this.#dialled = undefined;
  }

  #closedError(): EnvironmentError {
    return new EnvironmentError('closed', this.peer, `the connection to ${this.peer} has been closed`);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const error = this.#closedError();
    for (const call of [...this.#calls]) call.cancelWith(error);
    this.#dialled?.client.close();
  }
}
