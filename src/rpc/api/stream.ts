/**
 * One direction of a stream, as seen by whoever sends into it.
 *
 * Stream methods have one signature on both sides: `method(replies: Sink<Reply>): Sink<Request>`. The client passes where
 * replies go and gets where requests go; the server implements the same method. A message handed over must not be
 * changed afterwards; its bytes may be referenced until the transport has sent them.
 */
export interface Sink<T> {
  /** Hands over a message, in order. False: more than the stream's credit is buffered; wait for `drained` before more. */
  send(message: T): boolean;
  /** Resolves when there is room again (at once when there is), rejects when the stream has ended. */
  drained(): Promise<void>;
  /** Ends this direction, once; later calls do nothing. With an error the whole stream is torn down. */
  end(error?: Error): void;
}

/** Of one call. */
export interface CallOptions {
  /** The call fails with EnvironmentError 'deadline-exceeded' after this. Unary calls always have one. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What a server knows of a caller. */
export interface CallContext {
  /** `host:port` of the other side, for logs. */
  readonly peer: string;
  readonly signal: AbortSignal;
}
