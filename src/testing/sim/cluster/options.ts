/**
 * One simulation of a whole cluster: everything its seed draws, as plain data. A run is its options: a failing one is made
 * smaller by changing them, and kept as a file of them.
 */
import { type Random, SeededRandom } from '../../../base/index.ts';
import { FAULT_KINDS, type FaultKind } from './faults/kinds.ts';
import { simulatedPoints } from './inserted-points.ts';

export interface TopicPlan {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

export interface ClusterSimOptions {
  readonly seed: number;
  readonly controllers: number;
  readonly brokers: number;
  readonly topics: readonly TopicPlan[];
  /** A topic that is compacted, with a workload of its own; absent: none. */
  readonly compacted?: TopicPlan;
  /** Data directories of each broker; absent: one each. */
  readonly directories?: readonly number[];
  readonly producers: number;
  /** Producers that are not idempotent, each with acks of its own; absent: none. */
  readonly bluntProducers?: number;
  readonly readers: number;
  /** In the end a broker hears of no other one, and these start anew. Absent: none does. */
  readonly absence?: true;
  /** In the end a broker gets an empty disk. Absent: none does. */
  readonly replacement?: true;
  /** In the end a follower is cut off from its leader. Absent: none is. */
  readonly lagging?: true;
  /** In the end a leader is cut off with a follower, and another one leads. Absent: none is. */
  readonly deposition?: true;
  /** In the end a data directory is missing for a while. Absent: none is. */
  readonly returning?: true;
  /** In the end a topic is deleted and made again. Absent: none is. */
  readonly remaking?: true;
  /** Mean pause between two acts of the operator; absent: there is none. */
  readonly operatorMs?: number;
  /** How long a fetch of a reader waits for records. */
  readonly readerWaitMs: number;
  /** What it asks for, of all partitions and of one: a batch that is larger comes alone. Absent: the default. */
  readonly readerMaxBytes?: number;
  /** Mean pause of a client between two operations. */
  readonly thinkMs: number;
  /** Records of one send, at most. */
  readonly recordsMax: number;
  /** How long the faulty phase lasts. */
  readonly faultsMs: number;
  /** Mean length of a reader's life. */
  readonly readerLifeMs: number;
  readonly delayMinMs: number;
  readonly delayMeanMs: number;
  /** Mean time of a disk operation. */
  readonly diskMeanMs: number;
  /** Configuration of every node. */
  readonly settings: Readonly<Record<string, string>>;
  /** Mean time between two faults of a kind. A kind that is absent never happens. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
}

const LATER_KINDS: readonly FaultKind[] = ['turned bit', 'directory fails', 'clock rate'];
const DRAWN_APART: ReadonlySet<FaultKind> = new Set([...LATER_KINDS, 'failure point']);

/** Each kind of fault is off with probability one half, so that rare combinations are not drowned by common ones. */
export function drawOptions(seed: number): ClusterSimOptions {
  const random = new SeededRandom(seed, 'options: length');
  const options = drawShort(seed);
  return random.float() < LONG ? stretch(options, random) : options;
}

const SCRUB = 'log.scrub.interval.ms';
const CLEANER = 'log.cleaner.backoff.ms';
const QUORUM_FETCH = 'controller.quorum.fetch.timeout.ms';
const RESPONSE = 'replica.fetch.response.max.bytes';
/** Share of the runs that last for hours, as clusters do: what happens is as much, and far apart. */
const LONG = 1 / 8;
/** In one of these no kind of fault happens more often, on the average: as in the longest of the short ones. */
const EACH_MAX = 24;

function stretch(options: ClusterSimOptions, random: Random): ClusterSimOptions {
  const faultsMs = spread(random, 3_600_000, 14_400_000);
  const kinds = Object.keys(options.faults) as FaultKind[];
  const { operatorMs, settings } = options;
  return {
    ...options,
    faultsMs,
    readerLifeMs: faultsMs / 5,
    readerWaitMs: Math.round(spread(random, 5_000, 30_000)),
    thinkMs: faultsMs / spread(random, 100, 400),
    ...(operatorMs === undefined ? {} : { operatorMs: 20 * operatorMs }),
    settings: {
      ...settings,
      [QUORUM_FETCH]: String(Math.round(spread(random, 4_000, 10_000))),
      'metadata.max.idle.interval.ms': String(Math.round(spread(random, 10_000, 120_000))),
      'replica.fetch.wait.max.ms': String(Math.round(spread(random, 5_000, 20_000))),
      'replica.high.watermark.checkpoint.interval.ms': String(Math.round(spread(random, 5_000, 120_000))),
      ...seldom(settings, [SCRUB, CLEANER], faultsMs / 20),
    },
    faults: Object.fromEntries(
      kinds.map((kind) => [kind, Math.round(spread(random, faultsMs / EACH_MAX, faultsMs))]),
    ),
  };
}

/** What is done every few seconds in a short run is done every few minutes. */
function seldom(
  settings: ClusterSimOptions['settings'],
  keys: readonly string[],
  intervalMs: number,
): Record<string, string> {
  const drawn = keys.filter((key) => settings[key] !== undefined);
  return Object.fromEntries(drawn.map((key) => [key, String(Math.round(intervalMs))]));
}

function drawShort(seed: number): ClusterSimOptions {
  const random = new SeededRandom(seed, 'options');
  const brokers = pick(random, [1, 2, 3, 3, 3, 3, 4, 5]);
  const compacted = drawCompacted(seed, brokers);
  const faultsMs = spread(random, 30_000, 240_000);
  return {
    seed,
    controllers: pick(random, [1, 3, 3, 3, 3, 5]),
    brokers,
    topics: Array.from({ length: random.integer(1, 3) }, (_, i) =>
      widen(seed, drawTopic(random, `topic-${i}`, brokers)),
    ),
    producers: random.integer(1, 4),
    ...drawBlunt(seed),
    readers: random.integer(1, 3),
    readerWaitMs: Math.round(spread(random, 200, 20_000)),
    ...drawReaderLimit(seed),
    ...(random.float() < 0.5 ? { operatorMs: Math.round(spread(random, 5_000, 60_000)) } : {}),
    thinkMs: spread(random, 1_000, 25_000),
    recordsMax: random.integer(1, 20),
    faultsMs,
    readerLifeMs: 30_000,
    delayMinMs: spread(random, 0.1, 3),
    delayMeanMs: spread(random, 0.5, 30),
    diskMeanMs: spread(random, 0.05, 10),
    settings: {
      ...drawSettings(random),
      ...drawScrub(seed),
      ...drawCleaner(seed, compacted),
      ...drawResponse(seed),
      ...drawNarrow(seed),
    },
    faults: { ...drawFaults(random, faultsMs), ...drawFailurePoints(seed), ...drawLater(seed, faultsMs) },
    ...drawDirectories(seed, brokers),
    ...drawAbsence(seed),
    ...drawReplacement(seed),
    ...drawLagging(seed),
    ...drawDeposition(seed),
    ...drawReturning(seed),
    ...drawRemaking(seed),
    ...(compacted === undefined ? {} : { compacted }),
  };
}

/** What is not synced yet may be acknowledged. */
export function isWriteCaching(configs: TopicPlan['configs']): boolean {
  return configs['write.caching'] === 'true';
}

/** Draws beside the first ones, each topic's from a stream of its own: what was drawn before this came stays. */
function widen(seed: number, topic: TopicPlan): TopicPlan {
  const random = new SeededRandom(seed, `options of ${topic.name}`);
  const more = random.float() < 0.2 ? { 'write.caching': 'true' } : {};
  return { ...topic, configs: { ...topic.configs, ...more } };
}

/** Of a stream of its own. Half of the runs have none, and there every record asks for all replicas. */
function drawBlunt(seed: number): Pick<ClusterSimOptions, 'bluntProducers'> {
  const random = new SeededRandom(seed, 'blunt producers');
  return random.float() < 0.5 ? { bluntProducers: random.integer(1, 3) } : {};
}

function drawTopic(random: Random, name: string, brokers: number): TopicPlan {
  const replicationFactor = Math.min(brokers, pick(random, [1, 2, 3, 3, 3, 3, 5]));
  const minIsr = replicationFactor === 1 ? 1 : random.integer(1, replicationFactor);
  return {
    name,
    partitions: random.integer(1, 4),
    replicationFactor,
    configs: {
      'min.insync.replicas': String(minIsr),
      'segment.bytes': String(Math.round(spread(random, 2048, 128 * 1024))),
      'index.interval.bytes': String(Math.round(spread(random, 64, 4096))),
    },
  };
}

/** Knobs of the product; each at its default in many runs. What an idle cluster says is least often as it is by default. */
function drawSettings(random: Random): Record<string, string> {
  const settings: Record<string, string> = {};
  const maybe = (key: string, min: number, max: number, chance = 0.5): void => {
    if (random.float() < chance) settings[key] = String(Math.round(spread(random, min, max)));
  };
  maybe('replica.lag.time.max.ms', 2_000, 30_000);
  maybe('replica.fetch.wait.max.ms', 200, 20_000, 0.8);
  maybe('replica.fetch.max.bytes', 1_000, 1_000_000);
  maybe('replica.high.watermark.checkpoint.interval.ms', 1_000, 60_000);
  maybe('log.tail.cache.bytes', 1, 1_000_000);
  maybe('log.open.segments.max', 16, 512);
  maybe(QUORUM_FETCH, 2_000, 5_000, 0.8);
  maybe('metadata.max.idle.interval.ms', 1_000, 60_000, 0.9);
  return settings;
}

/** Mean time between two faults of a kind, at least: there are up to sixteen, and what follows a fault takes a while. */
const FAULT_MS_MIN = 10_000;

function drawFaults(random: Random, faultsMs: number): Partial<Record<FaultKind, number>> {
  const faults: Partial<Record<FaultKind, number>> = {};
  for (const kind of FAULT_KINDS)
    if (!DRAWN_APART.has(kind) && random.float() < 0.5)
      faults[kind] = Math.round(spread(random, FAULT_MS_MIN, faultsMs));
  return faults;
}

/** Each kind from a stream of its own: one more changes nothing else of what a seed draws. */
function drawLater(seed: number, faultsMs: number): Partial<Record<FaultKind, number>> {
  const faults: Partial<Record<FaultKind, number>> = {};
  for (const kind of LATER_KINDS) {
    const random = new SeededRandom(seed, `options: ${kind}`);
    if (random.float() < 0.5) faults[kind] = Math.round(spread(random, FAULT_MS_MIN, faultsMs));
  }
  return faults;
}

function drawCompacted(seed: number, brokers: number): TopicPlan | undefined {
  const random = new SeededRandom(seed, 'options: compacted');
  if (random.float() < 0.7) return undefined;
  const replicationFactor = Math.min(brokers, 3);
  const configs = {
    'cleanup.policy': 'compact',
    'min.cleanable.dirty.ratio': '0.01',
    'min.insync.replicas': String(random.integer(1, replicationFactor + 1)),
    'segment.bytes': String(Math.round(spread(random, 1_000, 8_000))),
  };
  return { name: 'compacted', partitions: random.integer(1, 3), replicationFactor, configs };
}

/** Older values give way to newer ones of their key. */
export function isCompacted(configs: TopicPlan['configs'] = {}): boolean {
  return configs['cleanup.policy']?.includes('compact') === true;
}

/** Every topic that is made. */
export function topicsOf({ topics, compacted }: ClusterSimOptions): readonly TopicPlan[] {
  return compacted === undefined ? topics : [...topics, compacted];
}

function drawCleaner(seed: number, compacted: TopicPlan | undefined): Record<string, string> {
  const random = new SeededRandom(seed, 'options: cleaner');
  if (compacted === undefined) return {};
  return { [CLEANER]: String(Math.round(spread(random, 1_000, 10_000))) };
}

/** A follower is told of some of its partitions at a time; where there is no room for a batch, of one. */
function drawResponse(seed: number): Record<string, string> {
  const random = new SeededRandom(seed, 'options: response of a replica fetch');
  if (random.float() < 0.5) return {};
  return { [RESPONSE]: String(Math.round(spread(random, 50, 5_000))) };
}

function drawReaderLimit(seed: number): Pick<ClusterSimOptions, 'readerMaxBytes'> {
  const random = new SeededRandom(seed, 'options: limit of readers');
  return random.float() < 0.25 ? { readerMaxBytes: Math.round(spread(random, 50, 20_000)) } : {};
}

function drawDirectories(seed: number, brokers: number): Pick<ClusterSimOptions, 'directories'> {
  const random = new SeededRandom(seed, 'options: directories');
  if (random.float() < 0.7) return {};
  return { directories: Array.from({ length: brokers }, () => random.integer(1, 4)) };
}

function drawAbsence(seed: number): Pick<ClusterSimOptions, 'absence'> {
  const random = new SeededRandom(seed, 'options: absence');
  return random.float() < 0.25 ? { absence: true } : {};
}

/** What is told to the one that was cut off has no room in one reply. */
function drawNarrow(seed: number): Record<string, string> {
  const random = new SeededRandom(seed, 'options: narrow');
  if (drawAbsence(seed).absence === undefined || random.float() < 0.5) return {};
  return { [RESPONSE]: String(Math.round(spread(random, 150, 1_500))) };
}

function drawReplacement(seed: number): Pick<ClusterSimOptions, 'replacement'> {
  const random = new SeededRandom(seed, 'options: replacement');
  return random.float() < 0.25 ? { replacement: true } : {};
}

function drawLagging(seed: number): Pick<ClusterSimOptions, 'lagging'> {
  const random = new SeededRandom(seed, 'options: lagging');
  return random.float() < 0.5 ? { lagging: true } : {};
}

function drawReturning(seed: number): Pick<ClusterSimOptions, 'returning'> {
  const random = new SeededRandom(seed, 'options: returning');
  return random.float() < 0.5 ? { returning: true } : {};
}

function drawDeposition(seed: number): Pick<ClusterSimOptions, 'deposition'> {
  const random = new SeededRandom(seed, 'options: deposition');
  return random.float() < 0.5 ? { deposition: true } : {};
}

function drawRemaking(seed: number): Pick<ClusterSimOptions, 'remaking'> {
  const random = new SeededRandom(seed, 'options: remaking');
  return random.float() < 0.5 ? { remaking: true } : {};
}

/** Often enough that what is turned is found in the run. */
function drawScrub(seed: number): Record<string, string> {
  const random = new SeededRandom(seed, 'options: scrub');
  if (drawLater(seed, 1)['turned bit'] === undefined) return {};
  return { [SCRUB]: String(Math.round(spread(random, 2_000, 20_000))) };
}

/** Whether there are any in this process changes nothing else of what a seed draws. */
function drawFailurePoints(seed: number): Partial<Record<FaultKind, number>> {
  const random = new SeededRandom(seed, 'options: failure points');
  if (simulatedPoints().length === 0 || random.float() < 0.5) return {};
  return { 'failure point': Math.round(spread(random, FAULT_MS_MIN, 120_000)) };
}

function spread(random: Random, min: number, max: number): number {
  return min * (max / min) ** random.float();
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.integer(0, from.length)] as T;
}
