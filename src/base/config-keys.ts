/**
 * The one table of configuration keys. Names and defaults are Kafka's where Kafka has the key; ours say so in `text`.
 *
 * Parsing, validation, `quorate config explain` and docs/configuration.md derive from it (a test compares). `topic`
 * names the topic-level key that overrides a server key (KIP-226 synonyms).
 */
export type ConfigType = 'integer' | 'number' | 'boolean' | 'string' | 'list' | 'enum';

export interface ConfigKey {
  readonly type: ConfigType;
  /** As written in a file; undefined: no default, see `required`. */
  readonly default?: string;
  readonly required?: boolean;
  /** Inclusive bounds of an integer or a number. */
  readonly min?: number;
  readonly max?: number;
  /** Allowed words of an enum, or of each member of a list. */
  readonly values?: readonly string[];
  /** Topic-level key with the same meaning. */
  readonly topic?: string;
  readonly text: string;
}

const INT32_MAX = 2 ** 31 - 1;

const integer = (def: number, text: string, min = 0, max = Number.MAX_SAFE_INTEGER): ConfigKey => ({
  type: 'integer',
  default: String(def),
  min,
  max,
  text,
});
const number = (def: number, min: number, max: number, text: string): ConfigKey => ({
  type: 'number',
  default: String(def),
  min,
  max,
  text,
});
const boolean = (def: boolean, text: string): ConfigKey => ({ type: 'boolean', default: String(def), text });
const string = (def: string | undefined, text: string): ConfigKey =>
  def === undefined ? { type: 'string', text } : { type: 'string', default: def, text };
const choice = (def: string, values: readonly string[], text: string): ConfigKey => ({
  type: 'enum',
  default: def,
  values,
  text,
});
const overriddenBy = (topic: string, key: ConfigKey): ConfigKey => ({ ...key, topic });

const CLEANUP_POLICIES = ['delete', 'compact'];
const COMPRESSIONS = ['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'];

/** Keys of a topic, each also the default of its server synonym. */
export const TOPIC_CONFIG_KEYS: Readonly<Record<string, ConfigKey>> = {
  'min.insync.replicas': integer(1, 'in-sync replicas required to accept acks=all', 1, INT32_MAX),
  'max.message.bytes': integer(1_048_588, 'largest record batch, in bytes', 0, INT32_MAX),
  'segment.bytes': integer(1_073_741_824, 'size at which a segment is closed', 14, INT32_MAX),
  'segment.ms': integer(
    604_800_000,
    'age at which a segment is closed; an idle one by the next look for old segments',
    1,
  ),
  'segment.jitter.ms': integer(0, 'a segment is closed up to this much earlier, each by another part of it'),
  'segment.index.bytes': integer(10_485_760, 'largest offset index of a segment', 4, INT32_MAX),
  'index.interval.bytes': integer(4096, 'log bytes between two index entries', 0, INT32_MAX),
  'retention.ms': integer(604_800_000, 'age at which records are deleted; -1: never', -1),
  'retention.bytes': integer(-1, 'size beyond which the oldest segments are deleted; -1: no limit', -1),
  'file.delete.delay.ms': integer(
    60_000,
    'files that were deleted are kept for readers under way so long',
    0,
    INT32_MAX,
  ),
  'cleanup.policy': {
    type: 'list',
    default: 'delete',
    values: CLEANUP_POLICIES,
    text: 'old segments are deleted, or records give way to newer ones of their key (compact), or both',
  },
  'min.cleanable.dirty.ratio': number(
    0.5,
    0,
    1,
    'a log is compacted when more than this part of it was not compacted before',
  ),
  'min.compaction.lag.ms': integer(0, 'a record is not compacted before this age'),
  'max.compaction.lag.ms': integer(
    Number.MAX_SAFE_INTEGER,
    'a log with a record older than this is compacted, whatever the ratio',
    1,
  ),
  'delete.retention.ms': integer(86_400_000, 'how long a compacted log still shows that a key was deleted'),
  'compression.type': choice('producer', COMPRESSIONS, 'compression of stored batches; producer: as sent'),
  'message.timestamp.type': choice(
    'CreateTime',
    ['CreateTime', 'LogAppendTime'],
    'whose clock stamps records',
  ),
  'message.timestamp.before.max.ms': integer(
    Number.MAX_SAFE_INTEGER,
    'a CreateTime may be this much earlier than the clock of the broker',
  ),
  'message.timestamp.after.max.ms': integer(
    3_600_000,
    'a CreateTime may be this much later than the clock of the broker',
  ),
  'unclean.leader.election.enable': boolean(
    false,
    'elect a replica outside the ISR when nothing else is left',
  ),
  'write.caching': boolean(
    false,
    'acknowledge before syncing, as Kafka does; power loss may lose records (ours)',
  ),
};

const milliseconds = (def: number, text: string): ConfigKey => integer(def, text, 1, INT32_MAX);

/** Keys of a node. */
export const SERVER_CONFIG_KEYS: Readonly<Record<string, ConfigKey>> = {
  'process.roles': {
    type: 'list',
    required: true,
    values: ['broker', 'controller'],
    text: 'what this node is',
  },
  'node.id': {
    type: 'integer',
    required: true,
    min: 0,
    max: INT32_MAX,
    text: 'id of this node, unique in the cluster',
  },
  'cluster.id': string(
    undefined,
    'id of the cluster to belong to; absent: learnt, or made by the first quorum (ours)',
  ),
  'controller.quorum.voters': {
    type: 'list',
    required: true,
    text: 'the controllers: id@host:port, comma separated',
  },
  listeners: {
    type: 'list',
    required: true,
    text: 'NAME://host:port; names: CLIENT and REPLICA on a broker, CONTROLLER on a controller',
  },
  'advertised.listeners': {
    type: 'list',
    default: '',
    text: 'what others are told to connect to; empty: listeners',
  },
  'log.dirs': {
    type: 'list',
    required: true,
    text: 'directories of logs, on a disk each; each fails alone, unless the metadata log is in it',
  },
  'metadata.log.dir': string(
    undefined,
    'directory of the metadata log: the node needs it to start; absent: the first of log.dirs',
  ),
  'broker.rack': string(undefined, 'rack of this broker, for placement'),
  'controller.quorum.election.timeout.ms': milliseconds(1000, 'lower bound of the election timeout'),
  'controller.quorum.fetch.timeout.ms': milliseconds(
    2000,
    'silence of the leader before a follower seeks election',
  ),
  'controller.quorum.election.backoff.max.ms': milliseconds(1000, 'longest wait between two elections'),
  'controller.quorum.request.timeout.ms': milliseconds(2000, 'longest wait for a reply of the quorum'),
  'controller.quorum.disconnect.grace.ms': integer(
    300,
    'wait after the leader connection broke (ours)',
    0,
    INT32_MAX,
  ),
  'metadata.max.idle.interval.ms': integer(
    500,
    'a no-op is written after this silence; 0: never',
    0,
    INT32_MAX,
  ),
  'broker.heartbeat.interval.ms': milliseconds(2000, 'time between two heartbeats of a broker'),
  'broker.session.timeout.ms': milliseconds(9000, 'silence after which a broker is fenced'),
  'broker.disconnect.grace.ms': integer(
    500,
    'a broken session stream may come back within this (ours)',
    0,
    INT32_MAX,
  ),
  'initial.broker.registration.timeout.ms': milliseconds(60_000, 'longest wait for the first registration'),
  'controlled.shutdown.enable': boolean(true, 'move leaders away before stopping'),
  'controlled.shutdown.timeout.ms': integer(
    5000,
    'longest wait for leaders to move away (ours)',
    0,
    INT32_MAX,
  ),
  'auto.create.topics.enable': boolean(false, 'create unknown topics at first use (Kafka: true)'),
  'delete.topic.enable': boolean(true, 'allow topics to be deleted'),
  'num.partitions': integer(1, 'partitions of a topic that names none', 1, INT32_MAX),
  'default.replication.factor': integer(1, 'replicas of a topic that names none', 1, 32_767),
  'replica.lag.time.max.ms': milliseconds(
    10_000,
    'a follower behind for longer leaves the ISR (Kafka: 30000)',
  ),
  'replica.fetch.wait.max.ms': integer(500, 'longest wait of a replica fetch at the leader', 0, INT32_MAX),
  'replica.fetch.min.bytes': integer(1, 'bytes a replica fetch waits for', 1, INT32_MAX),
  'replica.fetch.max.bytes': integer(1_048_576, 'bytes of one partition in a replica fetch', 1, INT32_MAX),
  'replica.fetch.response.max.bytes': integer(10_485_760, 'bytes of a replica fetch', 1, INT32_MAX),
  'replica.fetch.backoff.ms': integer(1000, 'pause of a partition whose fetch failed', 0, INT32_MAX),
  'replica.high.watermark.checkpoint.interval.ms': milliseconds(5000, 'time between two checkpoints'),
  'log.retention.check.interval.ms': milliseconds(300_000, 'time between two looks for segments to delete'),
  'log.cleaner.enable': boolean(true, 'compact logs whose cleanup.policy says so'),
  'log.cleaner.backoff.ms': integer(15_000, 'pause when no log is to be compacted', 1, INT32_MAX),
  'log.cleaner.dedupe.buffer.size': integer(
    134_217_728,
    'memory for keys while a log is compacted, 32 bytes each; it bounds how much is compacted at a time',
    1024,
  ),
  'log.cleaner.io.max.bytes.per.second': number(
    Number.MAX_VALUE,
    1,
    Number.MAX_VALUE,
    'compaction reads and writes no faster, in sum',
  ),
  'log.scrub.bytes.per.second': integer(
    5_242_880,
    'fastest reading of closed segments in search of damage; 0: never (ours)',
    0,
  ),
  'log.scrub.interval.ms': integer(
    604_800_000,
    'time in which every closed segment is read once in search of damage (ours)',
    1,
    INT32_MAX,
  ),
  'fetch.max.bytes': integer(57_671_680, 'most bytes of one fetch', 1024, INT32_MAX),
  'request.timeout.ms': milliseconds(30_000, 'deadline of calls between nodes'),
  'producer.id.expiration.ms': milliseconds(86_400_000, 'a silent producer is forgotten after this'),
  'log.tail.cache.bytes': integer(67_108_864, 'memory for recent appends, over all partitions (ours)', 0),
  'log.open.segments.max': integer(
    512,
    'segment files that are kept open; about a hundred other files come on top (ours)',
    8,
    INT32_MAX,
  ),
  'max.inflight.bytes': integer(
    67_108_864,
    'request bytes a broker holds before it pushes back (ours)',
    1024,
  ),
  'shutdown.timeout.ms': integer(2000, 'longest graceful stop after leaders have moved (ours)', 0, INT32_MAX),
  'metrics.listener': string(
    '',
    'host:port for GET /metrics in the format of Prometheus; empty: none (ours)',
  ),
  'log.level': choice(
    'info',
    ['error', 'warn', 'info', 'debug', 'silent'],
    'least severe line that is logged (ours)',
  ),
  'min.insync.replicas': overriddenBy(
    'min.insync.replicas',
    integer(1, 'default of the topic key', 1, INT32_MAX),
  ),
  'message.max.bytes': overriddenBy(
    'max.message.bytes',
    integer(1_048_588, 'default of the topic key', 0, INT32_MAX),
  ),
  'log.segment.bytes': overriddenBy(
    'segment.bytes',
    integer(1_073_741_824, 'default of the topic key', 14, INT32_MAX),
  ),
  'log.roll.ms': overriddenBy('segment.ms', integer(604_800_000, 'default of the topic key', 1)),
  'log.roll.jitter.ms': overriddenBy('segment.jitter.ms', integer(0, 'default of the topic key')),
  'log.index.size.max.bytes': overriddenBy(
    'segment.index.bytes',
    integer(10_485_760, 'default of the topic key', 4, INT32_MAX),
  ),
  'log.index.interval.bytes': overriddenBy(
    'index.interval.bytes',
    integer(4096, 'default of the topic key', 0, INT32_MAX),
  ),
  'log.retention.ms': overriddenBy('retention.ms', integer(604_800_000, 'default of the topic key', -1)),
  'log.retention.bytes': overriddenBy('retention.bytes', integer(-1, 'default of the topic key', -1)),
  'log.segment.delete.delay.ms': overriddenBy(
    'file.delete.delay.ms',
    integer(60_000, 'default of the topic key', 0, INT32_MAX),
  ),
  'log.cleanup.policy': {
    type: 'list',
    default: 'delete',
    values: CLEANUP_POLICIES,
    topic: 'cleanup.policy',
    text: 'default of the topic key',
  },
  'log.cleaner.min.cleanable.ratio': overriddenBy(
    'min.cleanable.dirty.ratio',
    number(0.5, 0, 1, 'default of the topic key'),
  ),
  'log.cleaner.min.compaction.lag.ms': overriddenBy(
    'min.compaction.lag.ms',
    integer(0, 'default of the topic key'),
  ),
  'log.cleaner.max.compaction.lag.ms': overriddenBy(
    'max.compaction.lag.ms',
    integer(Number.MAX_SAFE_INTEGER, 'default of the topic key', 1),
  ),
  'log.cleaner.delete.retention.ms': overriddenBy(
    'delete.retention.ms',
    integer(86_400_000, 'default of the topic key'),
  ),
  'compression.type': overriddenBy(
    'compression.type',
    choice('producer', COMPRESSIONS, 'default of the topic key'),
  ),
  'log.message.timestamp.type': overriddenBy(
    'message.timestamp.type',
    choice('CreateTime', ['CreateTime', 'LogAppendTime'], 'default of the topic key'),
  ),
  'log.message.timestamp.before.max.ms': overriddenBy(
    'message.timestamp.before.max.ms',
    integer(Number.MAX_SAFE_INTEGER, 'default of the topic key'),
  ),
  'log.message.timestamp.after.max.ms': overriddenBy(
    'message.timestamp.after.max.ms',
    integer(3_600_000, 'default of the topic key'),
  ),
  'unclean.leader.election.enable': overriddenBy(
    'unclean.leader.election.enable',
    boolean(false, 'default of the topic key'),
  ),
  'write.caching': overriddenBy('write.caching', boolean(false, 'default of the topic key (ours)')),
};
