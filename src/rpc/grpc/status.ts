/**
 * Errors on the wire, both ways, in one place.
 *
 * A refusal (ApiError) travels as a gRPC status for generic clients, with its name and number in trailers
 * for clients that know them; from a Quorate peer it comes back as the same ApiError. Whatever else a
 * server throws is UNKNOWN_SERVER_ERROR without details: stacks and paths stay in the server's log. A
 * status without our trailers was made by gRPC itself and is a failure of the environment.
 */
import { type Metadata, Metadata as MetadataClass, status } from '@grpc/grpc-js';
import { ApiError, EnvironmentError, ERRORS, type ErrorName, errorNumber } from '../../base/index.ts';
import { ERROR_TEXT_LENGTH_MAX } from './limits.ts';

export const ERROR_NAME_TRAILER = 'quorate-error-code';
export const ERROR_NUMBER_TRAILER = 'quorate-error-number';

/** What a client that knows gRPC only is told. UNAVAILABLE means "try again" to its retry policies. */
export const STATUS_OF: Readonly<Record<ErrorName, status>> = {
  UNKNOWN_SERVER_ERROR: status.UNKNOWN,
  OFFSET_OUT_OF_RANGE: status.OUT_OF_RANGE,
  CORRUPT_MESSAGE: status.INVALID_ARGUMENT,
  UNKNOWN_TOPIC_OR_PARTITION: status.NOT_FOUND,
  LEADER_NOT_AVAILABLE: status.UNAVAILABLE,
  NOT_LEADER_OR_FOLLOWER: status.UNAVAILABLE,
  REQUEST_TIMED_OUT: status.DEADLINE_EXCEEDED,
  BROKER_NOT_AVAILABLE: status.UNAVAILABLE,
  MESSAGE_TOO_LARGE: status.INVALID_ARGUMENT,
  NETWORK_EXCEPTION: status.UNAVAILABLE,
  INVALID_TOPIC_EXCEPTION: status.INVALID_ARGUMENT,
  RECORD_LIST_TOO_LARGE: status.INVALID_ARGUMENT,
  NOT_ENOUGH_REPLICAS: status.UNAVAILABLE,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: status.UNAVAILABLE,
  INVALID_REQUIRED_ACKS: status.INVALID_ARGUMENT,
  INVALID_TIMESTAMP: status.INVALID_ARGUMENT,
  UNSUPPORTED_VERSION: status.UNIMPLEMENTED,
  TOPIC_ALREADY_EXISTS: status.ALREADY_EXISTS,
  INVALID_PARTITIONS: status.INVALID_ARGUMENT,
  INVALID_REPLICATION_FACTOR: status.INVALID_ARGUMENT,
  INVALID_REPLICA_ASSIGNMENT: status.INVALID_ARGUMENT,
  INVALID_CONFIG: status.INVALID_ARGUMENT,
  NOT_CONTROLLER: status.UNAVAILABLE,
  INVALID_REQUEST: status.INVALID_ARGUMENT,
  UNSUPPORTED_FOR_MESSAGE_FORMAT: status.INVALID_ARGUMENT,
  POLICY_VIOLATION: status.FAILED_PRECONDITION,
  OUT_OF_ORDER_SEQUENCE_NUMBER: status.FAILED_PRECONDITION,
  DUPLICATE_SEQUENCE_NUMBER: status.ALREADY_EXISTS,
  INVALID_PRODUCER_EPOCH: status.FAILED_PRECONDITION,
  INVALID_TXN_STATE: status.FAILED_PRECONDITION,
  KAFKA_STORAGE_ERROR: status.UNAVAILABLE,
  UNKNOWN_PRODUCER_ID: status.FAILED_PRECONDITION,
  FENCED_LEADER_EPOCH: status.UNAVAILABLE,
  UNKNOWN_LEADER_EPOCH: status.UNAVAILABLE,
  UNSUPPORTED_COMPRESSION_TYPE: status.INVALID_ARGUMENT,
  STALE_BROKER_EPOCH: status.FAILED_PRECONDITION,
  OFFSET_NOT_AVAILABLE: status.UNAVAILABLE,
  ELIGIBLE_LEADERS_NOT_AVAILABLE: status.UNAVAILABLE,
  INVALID_RECORD: status.INVALID_ARGUMENT,
  INVALID_UPDATE_VERSION: status.ABORTED,
  UNKNOWN_TOPIC_ID: status.NOT_FOUND,
  DUPLICATE_BROKER_REGISTRATION: status.ALREADY_EXISTS,
  BROKER_ID_NOT_REGISTERED: status.NOT_FOUND,
  INCONSISTENT_TOPIC_ID: status.UNAVAILABLE,
  INCONSISTENT_CLUSTER_ID: status.FAILED_PRECONDITION,
  INELIGIBLE_REPLICA: status.FAILED_PRECONDITION,
  NEW_LEADER_ELECTED: status.ABORTED,
  TOPIC_DELETION_DISABLED: status.FAILED_PRECONDITION,
  PREFERRED_LEADER_NOT_AVAILABLE: status.UNAVAILABLE,
  ELECTION_NOT_NEEDED: status.FAILED_PRECONDITION,
  INVALID_REGISTRATION: status.INVALID_ARGUMENT,
  INVALID_VOTER_KEY: status.INVALID_ARGUMENT,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
};

/** A status as grpc-js takes and gives it. */
export interface Status {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** What a client is told of `error`, which may be anything. */
export function toStatus(error: unknown): Status {
  const refusal = error instanceof ApiError ? error : new ApiError('UNKNOWN_SERVER_ERROR');
  const metadata = new MetadataClass();
  metadata.set(ERROR_NAME_TRAILER, refusal.code);
  metadata.set(ERROR_NUMBER_TRAILER, String(errorNumber(refusal.code)));
  // A lone surrogate, which cutting may leave too, would make grpc-js throw while it encodes the header.
  const details = refusal.message.slice(0, ERROR_TEXT_LENGTH_MAX).toWellFormed();
  return { code: STATUS_OF[refusal.code], details, metadata };
}

const isErrorName = (name: string): name is ErrorName => Object.hasOwn(ERRORS, name);

/** The error of a call to `peer` that ended with `ended`, which is not OK. */
export function fromStatus(ended: Status, peer: string): ApiError | EnvironmentError {
  const [name] = ended.metadata.get(ERROR_NAME_TRAILER);
  if (name !== undefined) {
    // A newer peer may use a name we do not know.
    const known = isErrorName(String(name)) ? (String(name) as ErrorName) : 'UNKNOWN_SERVER_ERROR';
    return new ApiError(known, ended.details);
  }
  switch (ended.code) {
    case status.DEADLINE_EXCEEDED:
      return new EnvironmentError('deadline-exceeded', peer, `no reply from ${peer} in time`);
    case status.UNAVAILABLE:
      return NOT_SENT.test(ended.details)
        ? new EnvironmentError('unreachable', peer, `cannot connect to ${peer}: ${reasonIn(ended.details)}`)
        : disconnected(peer, ended.details);
    case status.UNIMPLEMENTED:
      return new ApiError('UNSUPPORTED_VERSION', `${peer} does not offer this call`);
    case status.RESOURCE_EXHAUSTED:
      return TOO_LARGE.test(ended.details)
        ? new ApiError('MESSAGE_TOO_LARGE', `message refused by ${peer}: ${ended.details}`)
        : new ApiError('RESOURCE_EXHAUSTED', `${peer}: ${ended.details}`);
    default:
      return disconnected(peer, `${status[ended.code]} ${ended.details}`);
  }
}

/**
 * How grpc-js words that a call never left: retrying it elsewhere is safe. Pinned by tests over real
 * sockets.
 */
const NOT_SENT =
  /^(No connection established|Name resolution failed|Stream refused by server|Channel closed before)/;
const TOO_LARGE = /larger than/;

/** What the system said, out of the words that grpc-js puts around it. */
function reasonIn(details: string): string {
  return /Last error: (?:Error: )?(.+?)\. Resolution note:/.exec(details)?.[1] ?? details;
}

export function disconnected(peer: string, details: string): EnvironmentError {
  return new EnvironmentError('disconnected', peer, `the connection to ${peer} broke: ${details}`);
}
