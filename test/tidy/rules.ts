/**
 * The rules of the house that a machine can check, each with what to do instead.
 *
 * A module is a folder. A file belongs to the longest module name that its path begins with.
 */

/** From the bottom up. A module imports what stands on lower lines only; modules on one line do not know each other. */
export const LAYERS: readonly (readonly string[])[] = [
  ['base'],
  ['env', 'log/record'],
  ['env/node', 'machine', 'raft/core'],
  ['rpc/api'],
  ['raft'],
  ['log'],
  ['metadata'],
  ['rpc/protobuf'],
  ['rpc/grpc', 'rpc/memory'],
  ['broker', 'client'],
  ['server'],
  ['(root)'],
  ['cli', 'testing'],
];

/** Files that may be imported from outside of their module beside an index.ts. */
export const DOORS: readonly string[] = ['index.ts', 'raft/core/messages.ts'];

/** Modules that only some may import, although they lie below others too. */
export const PRIVATE_MODULES: readonly PrivateModule[] = [
  {
    module: 'env/node',
    importers: ['(root)', 'server', 'cli', 'testing'],
    instead: 'take an Environment as an argument',
  },
  {
    module: 'rpc/grpc',
    importers: ['(root)', 'server', 'cli', 'testing'],
    instead: 'take a Transport (rpc/api) as an argument',
  },
  { module: 'testing', importers: [], instead: 'keep twins and faults out of production' },
];

export interface PrivateModule {
  readonly module: string;
  readonly importers: readonly string[];
  readonly instead: string;
}

/** Packages that belong to one place. */
export const PACKAGES: readonly PackageRule[] = [
  {
    packages: /^(@grpc\/.*|grpc-health-check|node:http2)$/,
    modules: ['rpc/grpc'],
    instead: 'speak through rpc/api',
  },
  { packages: /^level$/, modules: ['raft'], instead: 'take KeyValueStores from the environment' },
  { packages: /^(pino|prom-client)$/, modules: ['env/node'], instead: 'take a Logger or Metrics' },
  {
    packages: /^node:(fs|fs\/promises|net|dgram|timers|perf_hooks|os)$/,
    modules: ['env/node'],
    instead: 'take Files, Clock or Timers from the environment',
  },
  {
    packages: /^node:(child_process|cluster|worker_threads)$/,
    modules: ['cli', 'testing'],
    instead: 'stay in one process',
  },
  { packages: /^node:timers\/promises$/, modules: ['env/node', 'cli'], instead: 'use Timers' },
  { packages: /^node:process$/, modules: ['server', 'cli', 'env/node'], instead: 'take it as an argument' },
  { packages: /^node:(http|https)$/, modules: ['env/node'], instead: 'serve HTTP at the rim' },
  { packages: /^immutable$/, modules: ['metadata'], instead: 'use arrays and maps' },
  {
    packages: /^protobufjs/,
    modules: ['metadata', 'rpc/protobuf', 'rpc/grpc'],
    instead: 'use the types of rpc/api or of metadata/records',
  },
  {
    packages: /^(commander|cli-table3|cli-progress)$/,
    modules: ['cli'],
    instead: 'return data, print in cli',
  },
  { packages: /^(yaml|zod)$/, modules: ['server'], instead: 'parse configuration in server/config' },
  {
    packages: /^(snappy|lz4-napi|node:zlib)$/,
    modules: ['log/record'],
    instead: 'compress and inflate through log/record',
  },
  { packages: /^@node-rs\/crc32$/, modules: ['base'], instead: 'use crc32c of base' },
  { packages: /^(vitest|fast-check)$/, modules: [], instead: 'keep tests in test/' },
];

export interface PackageRule {
  readonly packages: RegExp;
  readonly modules: readonly string[];
  readonly instead: string;
}

/** What code outside of some modules must not say. Comments and strings do not count. */
export const BANS: readonly Ban[] = [
  {
    name: 'a clock',
    pattern: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.\w|\bprocess\.hrtime\b/,
    // gRPC takes deadlines as dates.
    modules: ['env/node', 'rpc/grpc', 'cli'],
    instead: 'take the time as a number, or a Clock',
  },
  {
    name: 'a timer',
    pattern: /\b(setTimeout|setInterval|AbortSignal\.timeout)\b/,
    modules: ['env/node', 'rpc/grpc', 'cli'],
    instead: 'use Timers',
  },
  {
    name: 'the event loop',
    pattern: /\b(setImmediate|process\.nextTick)\b/,
    modules: ['env/node', 'rpc/grpc', 'testing'],
    instead: 'await a port',
  },
  {
    name: 'chance',
    pattern: /\bMath\.random\b|\brandom(Bytes|UUID|Int|Fill|FillSync)\(/,
    modules: ['env/node'],
    instead: 'take a Random',
  },
  {
    name: 'the process',
    pattern: /(?<![\w.#])process\.\w/,
    modules: ['env/node', 'server', 'cli', 'testing'],
    instead: 'take it as an argument',
  },
  {
    name: 'module state',
    pattern: /^(export )?(let|var) /m,
    modules: [],
    // Read from files once and never changed.
    files: ['rpc/grpc/reflection-handlers.ts'],
    instead: 'put it into an object: several nodes live in one process',
  },
  {
    name: 'an order of promises',
    pattern: /\bWeakRef\b|\bFinalizationRegistry\b/,
    modules: [],
    instead: 'close what you opened',
  },
];

export interface Ban {
  readonly name: string;
  readonly pattern: RegExp;
  readonly modules: readonly string[];
  /** Files that may, each for a reason that stands in the table. */
  readonly files?: readonly string[];
  readonly instead: string;
}

/** Folders that only compute: synchronous, the same answer for the same arguments. */
export const PURE_FOLDERS: readonly PureFolder[] = [
  { folder: 'base', packages: /^@node-rs\/crc32$/ },
  { folder: 'machine', packages: /^$/ },
  { folder: 'raft/core', packages: /^$/ },
  { folder: 'log/record', packages: /^(node:zlib|snappy|lz4-napi)$/ },
  { folder: 'log/compaction/core', packages: /^$/ },
  { folder: 'metadata/records', packages: /^protobufjs/ },
  { folder: 'metadata/image', packages: /^(immutable|node:crypto)$/ },
  { folder: 'metadata/controller', packages: /^immutable$/ },
  { folder: 'metadata/election', packages: /^$/ },
  { folder: 'metadata/placement', packages: /^$/ },
  { folder: 'broker/replica/core', packages: /^$/ },
];

export interface PureFolder {
  readonly folder: string;
  /** Packages it may use beside other modules. */
  readonly packages: RegExp;
}

/** What a pure folder must not say. */
export const IMPURE: readonly { name: string; pattern: RegExp; instead: string }[] = [
  { name: 'async code', pattern: /\basync\b|\bawait\b/, instead: 'return effects as data' },
  { name: 'a promise', pattern: /\bPromise\b|\.then\(/, instead: 'return effects as data' },
  { name: 'a date', pattern: /\bDate\b|\bperformance\b/, instead: 'take the time as a number' },
  { name: 'a microtask', pattern: /\bqueueMicrotask\b/, instead: 'return effects as data' },
  { name: 'the console', pattern: /\bconsole\b/, instead: 'return what is to be said' },
  {
    name: 'a port',
    pattern: /\b(Clock|Timers|Files|FileHandle|KeyValueStore|Logger|Metrics|Environment)\b/,
    instead: 'leave effects to the driver',
  },
];

export const LINES_MAX = { src: 500, test: 800 };
/** Code is held to 110 columns by the formatter; this is for what it leaves alone: comments and long strings. */
export const COLUMNS_MAX = 140;
