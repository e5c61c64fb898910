/**
 * A call over lanes that may be blocked. Its two ends learn of its end apart from each other: whoever gives up knows at
 * once, the other side when the lane lets the news through.
 */
import { EnvironmentError } from '../../../base/index.ts';
import type { Timer, Timers } from '../../../env/index.ts';
import type { CallOptions, Sink } from '../../../rpc/api/index.ts';
import { OutboundSink } from '../../../rpc/protobuf/index.ts';
import type { Breakable, Lane } from './lane.ts';

/** The way of one call. */
export interface CallPath {
  readonly there: Lane;
  readonly back: Lane;
  /** From the caller to itself. */
  readonly here: Lane;
  /** The caller's: its deadlines do not fire while it stands still. */
  readonly timers: Timers;
  readonly peer: string;
  /** Calls that end with the caller. */
  readonly open: Set<HeldCall>;
  /** True: the message that passes is lost. */
  isDropped(message: 'request' | 'reply'): boolean;
}

type Invoke<Message, Result> = (message: Message, options: CallOptions) => Result;

/** Of calls that name none: as the transports have it. */
const TIMEOUT_MS_DEFAULT = 30_000;
/** Messages that a blocked stream holds; with more its sender is cut off. It was told to wait at the first. */
const HELD_MAX = { streamCreditBytes: 0, streamBufferBytesMax: 100_000 };

export class HeldCall implements Breakable {
  readonly #path: CallPath;
  readonly #onFailed: (error: Error) => void;
  readonly #options: CallOptions;
  readonly #hungUp = new AbortController();
  readonly #onAbort = (): void => this.leave(this.#options.signal?.reason);
  #deadline: Timer | undefined;
  #isOver = false;

  /** `onFailed` is told when the caller gives up, or the connection breaks. */
  constructor(path: CallPath, options: CallOptions, onFailed: (error: Error) => void) {
    this.#path = path;
    this.#options = options;
    this.#onFailed = onFailed;
    for (const calls of [path.open, path.there.calls, path.back.calls]) calls.add(this);
    const { timeoutMs, signal } = options;
    const late = `no reply from ${path.peer} in time`;
    if (timeoutMs !== undefined)
      this.#deadline = path.timers.after(timeoutMs, () =>
        this.leave(new EnvironmentError('deadline-exceeded', path.peer, late)),
      );
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Aborted when the other side is to hear that nobody waits any more. */
  get signal(): AbortSignal {
    return this.#hungUp.signal;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The other side has ended it; `tell` tells the caller, unless it knows better. */
  end(tell: () => void): void {
    this.#forget();
    this.#settle(tell);
  }

  /** The caller gives up. */
  leave(error: Error): void {
    this.#settle(() => this.#onFailed(error));
    this.#path.there.run(() => this.#hangUp(error));
  }

  breakOff(): void {
    const { peer, here } = this.#path;
    const error = new EnvironmentError('disconnected', peer, `the connection to ${peer} broke`);
    here.run(() => this.#settle(() => this.#onFailed(error)));
    this.#hangUp(error);
  }

  /** The caller is dead: it hears nothing more. */
  abandon(): void {
    this.#settle(() => {});
    this.#hangUp(new EnvironmentError('closed', this.#path.peer, 'the caller is gone'));
  }

  #settle(tell: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadline?.cancel();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    tell();
  }

  #hangUp(error: Error): void {
    this.#forget();
    this.#hungUp.abort(error);
  }

  #forget(): void {
    const { open, there, back } = this.#path;
    for (const calls of [open, there.calls, back.calls]) calls.delete(this);
  }
}

export async function callUnary<Request, Reply>(
  path: CallPath,
  request: Request,
  options: CallOptions | undefined,
  invoke: Invoke<Request, Promise<Reply>>,
): Promise<Reply> {
  options?.signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const call = new HeldCall(path, { timeoutMs: TIMEOUT_MS_DEFAULT, ...options }, reject);
    path.there.run(() => {
      const { signal } = call;
      if (signal.aborted) return;
      if (path.isDropped('request')) return call.breakOff();
      invoke(request, { ...options, signal }).then(
        (reply) =>
          path.back.run(() => (path.isDropped('reply') ? call.breakOff() : call.end(() => resolve(reply)))),
        (error: unknown) => path.back.run(() => call.end(() => reject(error))),
      );
    });
  });
}

export function callDuplex<Request, Reply>(
  path: CallPath,
  replies: Sink<Reply>,
  options: CallOptions = {},
  invoke: Invoke<Sink<Reply>, Sink<Request>>,
): Sink<Request> {
  options.signal?.throwIfAborted();
  const call = new HeldCall(path, options, (error) => {
    requests.close(error);
    // Not from within the caller's own call: an `end` that answers an `end` would surprise it.
    queueMicrotask(() => replies.end(error));
  });
  const close = (error: Error | undefined): void =>
    path.back.run(() =>
      call.end(() => {
        requests.close(error);
        replies.end(error);
      }),
    );
  const inward = new OutboundSink<Reply, Held<Reply>>(
    hold,
    {
      write: ({ message }, taken) =>
        path.back.run(() => {
          if (call.isOver) taken();
          else if (path.isDropped('reply')) call.breakOff();
          else forward(replies, message, taken);
        }),
      finish: () => close(undefined),
      abort: close,
    },
    HELD_MAX,
  );
  let target: Sink<Request> | undefined;
  const requests = new OutboundSink<Request, Held<Request>>(
    hold,
    {
      write: ({ message }, taken) =>
        path.there.run(() => {
          if (target === undefined || call.signal.aborted) taken();
          else if (path.isDropped('request')) call.breakOff();
          else forward(target, message, taken);
        }),
      finish: () => path.there.run(() => target?.end()),
      abort: (error) => call.leave(error),
    },
    HELD_MAX,
  );
  path.there.run(() => {
    const { signal } = call;
    if (signal.aborted) return;
    try {
      target = invoke(inward, { signal });
    } catch (error) {
      call.leave(error as Error);
    }
  });
  return requests;
}

interface Held<T> {
  readonly message: T;
  readonly length: 1;
}

const hold = <T>(message: T): Held<T> => ({ message, length: 1 });

function forward<T>(target: Sink<T>, message: T, taken: () => void): void {
  if (target.send(message)) taken();
  else target.drained().then(taken, taken);
}
