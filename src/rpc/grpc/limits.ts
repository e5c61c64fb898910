import type { StreamLimits } from '../protobuf/index.ts';

/** What one node lets others do to it over gRPC. Each bound refuses, it never queues without end. */
export interface GrpcLimits extends StreamLimits {
  /** Largest request a server takes; beyond it the call ends with MESSAGE_TOO_LARGE. */
  readonly requestBytesMax: number;
  /** Largest reply a client takes. */
  readonly replyBytesMax: number;
  /** List elements in one request: what a message makes us allocate stays in proportion to its bytes. */
  readonly requestElementsMax: number;
  /** Calls and streams of one connection at a time; HTTP/2 makes the client wait beyond it. */
  readonly streamsPerConnectionMax: number;
  /** Connections of one listener; a further one is closed at once. */
  readonly connectionsMax: number;
  /** Memory of one connection in Node's HTTP/2 session, in MiB; beyond it new streams are refused. */
  readonly sessionMemoryMax: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: GrpcLimits = {
  // A frame of many record batches (1 MiB each by default) and room beside them.
  requestBytesMax: 16 * MIB,
  // fetch.max.bytes is 55 MiB by default, and one batch may come on top of it.
  replyBytesMax: 64 * MIB,
  // Ten thousand partitions with ten fields of a list each, or as many plain records.
  requestElementsMax: 100_000,
  // One client needs a handful; a forwarding broker one per call in flight.
  streamsPerConnectionMax: 1000,
  connectionsMax: 10_000,
  // Two of the largest replies in the send queue, and the rest of a busy connection.
  sessionMemoryMax: 256,
  // Four frames of 1 MiB keep a 10 Gbit/s link of 3 ms full.
  streamCreditBytes: 4 * MIB,
  streamBufferBytesMax: 128 * MIB,
};

/** Lists of a reply come from a server that we chose to trust with our memory; this only stops nonsense. */
export const REPLY_ELEMENTS_MAX = 16 * MIB;

/** Deadline of a unary call that names none: Kafka's request.timeout.ms. */
export const CALL_TIMEOUT_MS_DEFAULT = 30_000;

/**
 * HTTP/2 flow control window of a stream and of a connection. The standard's 64 KiB would allow one such
 * window per round trip; this one keeps 10 Gbit/s at 3 ms full.
 */
export const FLOW_CONTROL_WINDOW_BYTES = 4 * MIB;

/** A peer that is gone without a word (power, network) is noticed after both; a dead process at once. */
export const KEEPALIVE_TIME_MS = 10_000;
export const KEEPALIVE_TIMEOUT_MS = 5000;

/**
 * Between two attempts to reach a peer that is down. Short: an attempt costs a SYN, and the peer may be
 * back.
 */
export const RECONNECT_BACKOFF_MS = 50;
export const RECONNECT_BACKOFF_MS_MAX = 100;

/**
 * A connection without calls is closed by the server after this; a client makes another when it needs one.
 */
export const CONNECTION_IDLE_MS_MAX = 300_000;

/** Messages of a stream that are read while its consumer has no room. */
export const READ_AHEAD_MESSAGES = 1;

/** Sentences for people beyond this are cut: they travel in a header. */
export const ERROR_TEXT_LENGTH_MAX = 1000;
