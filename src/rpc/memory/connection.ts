/** The client side: service objects over one simulated connection, built from the tables of rpc/protobuf. */
import { ApiError, EnvironmentError } from '../../base/index.ts';
import type { Timer, Timers } from '../../env/index.ts';
import {
  type Address,
  type AdminService,
  type BrokerService,
  type CallOptions,
  type Connection,
  type ControllerService,
  formatAddress,
  type QuorumService,
  type ReplicaService,
  type Sink,
} from '../api/index.ts';
import { type AnyMethod, methodsOf, OutboundSink, type ServiceKey } from '../protobuf/index.ts';
import { Inbound } from './inbound.ts';
import { CALL_TIMEOUT_MS_DEFAULT, ELEMENTS_MAX, STREAM_LIMITS } from './limits.ts';
import { type ClientEnd, MemoryCall, type ServerEnd, type Session, type WireError } from './session.ts';

/** What a connection needs of its network. */
export interface ConnectionHost {
  readonly timers: Timers;
  dial(address: Address): Session;
  accept(call: MemoryCall, address: Address): ServerEnd | undefined;
  closed(connection: MemoryConnection): void;
}

/** How the caller's end of a call ends before the other side says so. */
type Cancel = (error: Error) => void;

const fromWire = (error: WireError | EnvironmentError): ApiError | EnvironmentError =>
  error instanceof EnvironmentError ? error : new ApiError(error.code, error.message);

export class MemoryConnection implements Connection {
  readonly address: Address;
  readonly #stubs = new Map<ServiceKey, unknown>();
  readonly #host: ConnectionHost;
  readonly #peer: string;
  readonly #cancels = new Set<Cancel>();
  #session: Session | undefined;
  #closed = false;

  constructor(address: Address, host: ConnectionHost) {
    this.address = address;
    this.#host = host;
    this.#peer = formatAddress(address);
  }

  get broker(): BrokerService {
    return this.#stub('broker') as BrokerService;
  }

  get admin(): AdminService {
    return this.#stub('admin') as AdminService;
  }

  get replica(): ReplicaService {
    return this.#stub('replica') as ReplicaService;
  }

  get controller(): ControllerService {
    return this.#stub('controller') as ControllerService;
  }

  get quorum(): QuorumService {
    return this.#stub('quorum') as QuorumService;
  }

  /** Of those that somebody uses. */
  #stub(key: ServiceKey): unknown {
    const known = this.#stubs.get(key);
    if (known !== undefined) return known;
    const stub = this.#makeStub(key);
    this.#stubs.set(key, stub);
    return stub;
  }

  #makeStub(key: ServiceKey): unknown {
    const functions = methodsOf(key).map(([property, method]) => [
      property,
      method.kind === 'unary'
        ? (request: unknown, options: CallOptions) => this.#unary(method, request, options)
        : (replies: Sink<unknown>, options: CallOptions) => this.#duplex(method, replies, options),
    ]);
    return Object.fromEntries(functions);
  }

  async #unary(method: AnyMethod, request: unknown, options: CallOptions | undefined): Promise<unknown> {
    options?.signal?.throwIfAborted();
    const bytes = method.request.encode(request);
    const reply = await new Promise<Buffer>((resolve, reject) => {
      let received: Buffer | undefined;
      const call = this.#open(
        method,
        { timeoutMs: CALL_TIMEOUT_MS_DEFAULT, ...options },
        {
          reply(replied) {
            received = replied;
          },
          end: (error) => (error === undefined ? resolve(received as Buffer) : reject(fromWire(error))),
          cancelled: reject,
        },
      );
      call.sendRequest(bytes);
      call.halfClose();
    });
    return method.reply.decode(reply, ELEMENTS_MAX);
  }

  #duplex(method: AnyMethod, replies: Sink<unknown>, options: CallOptions | undefined): Sink<unknown> {
    options?.signal?.throwIfAborted();
    const close = (error: Error | undefined): void => {
      requests.close(error);
      if (error === undefined) inbox.finish(() => replies.end());
      else replies.end(error);
    };
    const inbox = new Inbound(
      () => replies,
      (bytes) => method.reply.decode(bytes, ELEMENTS_MAX),
      (error) => call.tearDown(error),
    );
    const call = this.#open(method, options ?? {}, {
      reply: (bytes, taken) => inbox.push(bytes, taken),
      end: (error) => close(error === undefined ? undefined : fromWire(error)),
      cancelled: (error) => {
        requests.close(error);
        queueMicrotask(() => replies.end(error));
      },
    });
    const requests = new OutboundSink<unknown>(
      (message) => method.request.encode(message),
      {
        write: (bytes, taken) => call.sendRequest(bytes, taken),
        finish: () => call.halfClose(),
        abort: (error) => call.tearDown(error),
      },
      STREAM_LIMITS,
    );
    return requests;
  }

  #open(
    method: AnyMethod,
    options: CallOptions,
    end: ClientEnd & { cancelled(error: Error): void },
  ): MemoryCall & { tearDown: Cancel } {
    if (this.#closed) throw this.#closedError();
    if (this.#session?.usable !== true) this.#session = this.#host.dial(this.address);
    let timer: Timer | undefined;
    let over = false;
    const settle = (): boolean => {
      if (over) return false;
      over = true;
      timer?.cancel();
      options.signal?.removeEventListener('abort', abort);
      this.#cancels.delete(tearDown);
      return true;
    };
    const ends: ClientEnd = {
      reply: (bytes, taken) => end.reply(bytes, taken),
      end: (error) => {
        if (settle()) end.end(error);
      },
    };
    const call = new MemoryCall(this.#session, method, ends, options.timeoutMs);
    const tearDown = (error: Error): void => {
      if (!settle()) return;
      call.cancel();
      end.cancelled(error);
    };
    const abort = (): void => tearDown(options.signal?.reason);
    options.signal?.addEventListener('abort', abort, { once: true });
    this.#cancels.add(tearDown);
    if (options.timeoutMs !== undefined)
      timer = this.#host.timers.after(options.timeoutMs, () =>
        tearDown(
          new EnvironmentError('deadline-exceeded', this.#peer, `no reply from ${this.#peer} in time`),
        ),
      );
    call.open((opened) => this.#host.accept(opened, this.address));
    return Object.assign(call, { tearDown });
  }

  #closedError(): EnvironmentError {
    return new EnvironmentError('closed', this.#peer, `the connection to ${this.#peer} has been closed`);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const error = this.#closedError();
    for (const cancel of [...this.#cancels]) cancel(error);
    const session = this.#session;
    if (session !== undefined) session.endedBy(session.client);
    this.#host.closed(this);
  }
}
