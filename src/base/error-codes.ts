/**
 * The one table of errors that reach a client. Names and numbers are Kafka's (kafka.common.protocol.Errors).
 *
 * retriable: trying again later, perhaps elsewhere, can succeed with the same request.
 * definite:  the request certainly had no effect. An indefinite error leaves its outcome unknown.
 * text:      the default message; an error that knows more says more.
 */
interface ErrorRow {
  readonly code: number;
  readonly retriable: boolean;
  readonly definite: boolean;
  readonly text: string;
}

const row = (code: number, retriable: boolean, definite: boolean, text: string): ErrorRow => ({
  code,
  retriable,
  definite,
  text,
});

export const ERRORS = {
  UNKNOWN_SERVER_ERROR: row(-1, false, false, 'the server failed in an unexpected way'),
  OFFSET_OUT_OF_RANGE: row(1, false, true, 'the offset is outside the range the log holds'),
  CORRUPT_MESSAGE: row(2, true, true, 'the record batch fails its checksum or is malformed'),
  UNKNOWN_TOPIC_OR_PARTITION: row(3, true, true, 'no such topic or partition'),
  LEADER_NOT_AVAILABLE: row(5, true, true, 'the partition has no leader now'),
  NOT_LEADER_OR_FOLLOWER: row(6, true, true, 'this broker does not lead the partition'),
  REQUEST_TIMED_OUT: row(7, true, false, 'the request timed out'),
  BROKER_NOT_AVAILABLE: row(8, false, true, 'the broker is not available'),
  MESSAGE_TOO_LARGE: row(10, false, true, 'the record batch is larger than max.message.bytes'),
  NETWORK_EXCEPTION: row(13, true, false, 'the connection broke before the reply'),
  INVALID_TOPIC_EXCEPTION: row(17, false, true, 'the topic name is not allowed'),
  RECORD_LIST_TOO_LARGE: row(18, false, true, 'the record batch is larger than segment.bytes'),
  NOT_ENOUGH_REPLICAS: row(19, true, true, 'fewer in-sync replicas than min.insync.replicas'),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: row(
    20,
    true,
    false,
    'appended, but then fewer in-sync replicas than required',
  ),
  INVALID_REQUIRED_ACKS: row(21, false, true, 'acks must be 0, 1 or all (-1)'),
  INVALID_TIMESTAMP: row(32, false, true, 'the timestamp is outside the allowed range'),
  UNSUPPORTED_VERSION: row(35, false, true, 'this version is not supported'),
  TOPIC_ALREADY_EXISTS: row(36, false, true, 'the topic already exists'),
  INVALID_PARTITIONS: row(37, false, true, 'the number of partitions is not allowed'),
  INVALID_REPLICATION_FACTOR: row(38, false, true, 'the replication factor is not possible'),
  INVALID_REPLICA_ASSIGNMENT: row(39, false, true, 'the replica assignment is not possible'),
  INVALID_CONFIG: row(40, false, true, 'the configuration is not valid'),
  NOT_CONTROLLER: row(41, true, false, 'this node is not the active controller'),
  INVALID_REQUEST: row(42, false, true, 'the request is malformed'),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: row(43, false, true, 'record batches must be of version 2'),
  POLICY_VIOLATION: row(44, false, true, 'the request exceeds what the cluster allows'),
  OUT_OF_ORDER_SEQUENCE_NUMBER: row(45, false, true, 'a batch of this producer is missing before this one'),
  DUPLICATE_SEQUENCE_NUMBER: row(
    46,
    false,
    true,
    'the batch was already appended, too long ago to tell where',
  ),
  INVALID_PRODUCER_EPOCH: row(47, false, true, 'a newer producer with this id exists'),
  INVALID_TXN_STATE: row(48, false, true, 'the transaction is not in a state that allows this'),
  KAFKA_STORAGE_ERROR: row(56, true, false, "the partition's log, or its directory, is offline"),
  UNKNOWN_PRODUCER_ID: row(59, false, true, 'no state is known for this producer id'),
  FENCED_LEADER_EPOCH: row(74, true, true, 'the leader epoch in the request is older than the current one'),
  UNKNOWN_LEADER_EPOCH: row(75, true, true, 'the leader epoch in the request is newer than known here'),
  UNSUPPORTED_COMPRESSION_TYPE: row(76, false, true, 'the compression type is not supported'),
  STALE_BROKER_EPOCH: row(77, false, true, 'the broker epoch is not the registered one'),
  OFFSET_NOT_AVAILABLE: row(78, true, true, 'the new leader does not know its high watermark yet'),
  ELIGIBLE_LEADERS_NOT_AVAILABLE: row(83, true, true, 'no eligible leader is available'),
  INVALID_RECORD: row(87, false, true, 'a record in the batch is not valid'),
  INVALID_UPDATE_VERSION: row(95, false, true, 'the partition epoch in the request is not the current one'),
  UNKNOWN_TOPIC_ID: row(100, true, true, 'no topic has this id'),
  DUPLICATE_BROKER_REGISTRATION: row(101, false, true, 'another broker with this id is alive'),
  BROKER_ID_NOT_REGISTERED: row(102, false, true, 'no broker with this id is registered'),
  INCONSISTENT_TOPIC_ID: row(103, true, true, 'the topic id differs from the one of the log'),
  INCONSISTENT_CLUSTER_ID: row(104, false, true, 'the request belongs to another cluster'),
  INELIGIBLE_REPLICA: row(107, false, true, 'a replica may not join the in-sync set now'),
  NEW_LEADER_ELECTED: row(108, false, true, 'the change elected another leader'),
  TOPIC_DELETION_DISABLED: row(73, false, true, 'delete.topic.enable is false'),
  PREFERRED_LEADER_NOT_AVAILABLE: row(80, true, true, 'the preferred leader is not available'),
  ELECTION_NOT_NEEDED: row(84, false, true, 'the leader is already the wanted one'),
  INVALID_REGISTRATION: row(119, false, true, 'the registration is not valid'),
  INVALID_VOTER_KEY: row(125, false, true, 'the voter id or directory id does not match'),
  /** Ours (Kafka closes the connection instead): a named limit of this node is reached; nothing was done. */
  RESOURCE_EXHAUSTED: row(-1001, true, true, 'a limit of this node is reached'),
} as const satisfies Record<string, ErrorRow>;

export type ErrorName = keyof typeof ERRORS;
/** What a reply carries: a name of the table, or NONE for success. */
export type ErrorCode = ErrorName | 'NONE';

const NAMES_BY_CODE = new Map<number, ErrorCode>([
  [0, 'NONE'],
  ...Object.entries(ERRORS).map(([name, { code }]) => [code, name as ErrorName] as const),
]);

/** The number of `name` on the wire; 0 for NONE. */
export function errorNumber(name: ErrorCode): number {
  return name === 'NONE' ? 0 : ERRORS[name].code;
}

/** The name of a number from the wire; a number we do not know is UNKNOWN_SERVER_ERROR. */
export function errorNameOf(code: number): ErrorCode {
  return NAMES_BY_CODE.get(code) ?? 'UNKNOWN_SERVER_ERROR';
}
