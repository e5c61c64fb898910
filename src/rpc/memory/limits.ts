import type { StreamLimits } from '../protobuf/index.ts';

const MIB = 1024 * 1024;

/** As over gRPC. */
export const STREAM_LIMITS: StreamLimits = { streamCreditBytes: 4 * MIB, streamBufferBytesMax: 128 * MIB };
/** A receiver says that there is room again once it has taken so many bytes. */
export const CREDIT_UPDATE_BYTES = 64 * 1024;
/** List elements in one message. */
export const ELEMENTS_MAX = 1_000_000;
/** Deadline of a unary call that names none: Kafka's request.timeout.ms. */
export const CALL_TIMEOUT_MS_DEFAULT = 30_000;
/** A call is overtaken for less than this: many times what a link takes, less than what anybody waits. */
export const OVERTAKEN_MS_MAX = 50;
/** A duplicate comes less than this after its first: most soon, some after the longest deadline has passed. */
export const DUPLICATE_LATE_MS_MAX = 60_000;
/** Duplicates of one listener still to come. At the bound requests come once. */
export const DUPLICATES_PENDING_MAX = 100_000;
/** Where port 0 begins to look for a free one. */
export const FIRST_FREE_PORT = 20_000;
