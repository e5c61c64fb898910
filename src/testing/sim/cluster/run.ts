/** One run: faults while the laws of safety are watched, then health, in which everything must get on. */
import { checkHistory, type HistoryEvent, type TopicDemands } from '../../checkers/index.ts';
import { Trace } from '../trace.ts';
import { expectAbsence } from './absence.ts';
import { expectDeletion } from './deletion.ts';
import { expectDeposition } from './deposition.ts';
import { expectDoubt } from './doubting.ts';
import { type Expect, expectDone, expectSoon } from './expect.ts';
import { expectRemoval } from './lagging.ts';
import { expectLookups } from './lookups.ts';
import type { MachineEnd } from './machine.ts';
import { Nemesis } from './nemesis.ts';
import { type ClusterSimOptions, isCompacted, isWriteCaching, type TopicPlan, topicsOf } from './options.ts';
import { patienceMs } from './patience.ts';
import { expectQuickness } from './quickness.ts';
import { expectNothingLeft, expectRecovery, isWhole } from './recovery.ts';
import { expectRemaking } from './remaking.ts';
import { expectReplacement } from './replacement.ts';
import { expectReturn } from './returning.ts';
import { expectRetention } from './trailing.ts';
import { Watch } from './watch/watch.ts';
import { readAll } from './workload/sim-reader.ts';
import { Workload } from './workload/workload.ts';
import { PAUSES_MAX, SimWorld } from './world.ts';

export interface ClusterSimResult {
  readonly options: ClusterSimOptions;
  /** Equal for equal options, whatever else runs. */
  readonly hash: string;
  readonly virtualMs: number;
  readonly events: number;
  readonly counters: ReadonlyMap<string, number>;
  readonly failure: unknown;
  readonly lines: readonly string[];
  readonly history: readonly HistoryEvent[];
}

/** The law that a failure names, without its numbers; undefined: it is none. */
export function lawOf(failure: unknown): string | undefined {
  if (failure === undefined) return undefined;
  const message = failure instanceof Error ? failure.message : String(failure);
  return message.replace(/\d+/g, 'n').split(': {')[0];
}

/** Most virtual time that a step to health may take. */
const STARTED_MS = 60_000;
const ENDED_MS = 60_000;
const HEALTHY_MS = 60_000;
const READ_MS = 60_000;
/** A node that ended itself is started again after this. */
const RESTART_MS = 1_000;

export async function runCluster(
  options: ClusterSimOptions,
  settings: { readonly keepTrace?: boolean } = {},
  phases: (world: SimWorld) => Promise<void> = runPhases,
): Promise<ClusterSimResult> {
  const trace = new Trace(settings.keepTrace ?? false);
  const world = new SimWorld(options, trace);
  const failUnhandled = (error: unknown): void =>
    world.fail(new Error('a promise was rejected and nobody heard', { cause: error }));
  process.on('unhandledRejection', failUnhandled);
  const { stackTraceLimit } = Error;
  // Of the errors of everyday life nobody reads where they were made; a failure is run again, with a trace.
  if (settings.keepTrace !== true) Error.stackTraceLimit = 0;
  beginBufferPool();
  world.points.listen();
  try {
    await phases(world);
  } catch (error) {
    world.fail(error ?? new Error('failed without a reason'));
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    process.off('unhandledRejection', failUnhandled);
    world.points.close(trace);
  }
  for (const { environment } of world.machines) world.count(environment);
  const { scheduler, recorder, failure } = world;
  const { hash, counters, lines } = trace;
  return {
    options,
    hash,
    counters,
    lines,
    failure,
    history: recorder.events,
    virtualMs: scheduler.nowMs,
    events: scheduler.executed,
  };
}

/** Which buffers share memory, and so how much of it a broker holds, must not depend on what this process did before. */
function beginBufferPool(): void {
  while (Buffer.allocUnsafe(8).byteOffset !== 0);
}

/** Starts all nodes, watched and supervised, and makes the topics. */
export async function startCluster(world: SimWorld): Promise<Watch> {
  const watch = new Watch(world);
  world.watch = () => watch.look();
  world.committedEnd = (topic, partition) => watch.committedEnd(topic, partition);
  world.committedEpoch = (topic, partition, offset) => watch.committedEpoch(topic, partition, offset);
  world.noteDeleted = (topic, partition, before) => watch.noteDeleted(topic, partition, before);
  world.onEnd = (machine, { reason, error }) => {
    world.note(`${machine.name} ended itself: ${reason}: ${String(error)}`);
    world.trace.count(`ends: ${reason}`);
    if (!mayEnd(world, reason))
      world.fail(new Error(`${machine.name} ended itself: ${reason}`, { cause: error }));
    world.scheduler.after(RESTART_MS, () => {
      if (!world.isStopping) machine.start();
    });
  };
  for (const machine of world.machines) machine.start();
  await expectSoon(world, 'the cluster starts', STARTED_MS, () =>
    world.brokers.every(({ isServing }) => isServing),
  );
  await makeTopics(world);
  return watch;
}

async function runPhases(world: SimWorld): Promise<void> {
  const { options } = world;
  const watch = await startCluster(world);
  const workload = new Workload(world);
  const nemesis = new Nemesis(world);
  workload.start();
  nemesis.start();
  await world.run(() => false, options.faultsMs);
  if (world.failure !== undefined) return;
  nemesis.heal();
  restoreDirectories(world);
  for (const machine of world.machines) machine.start();
  const expect: Expect = (law, limitMs, holds) => expectSoon(world, law, limitMs, holds);
  // What began on a disk that was slow takes its time yet.
  await world.run(() => false, world.diskBusyMs);
  await expectRecovery(world, workload, expect);
  workload.stop();
  const pauseMs = PAUSES_MAX * Math.max(options.thinkMs, options.operatorMs ?? 0);
  await expectSoon(world, 'the clients end', ENDED_MS + pauseMs, () => workload.isOver);
  await expectSoon(world, 'every replica is in sync', HEALTHY_MS + patienceMs(world), () => isWhole(world));
  await expectQuickness(world, expect, () => watch.areEqual());
  await expectLookups(world);
  world.recorder.note('nemesis', { f: 'mark', mark: 'final' });
  await readEverything(world);
  await expectDone(world, 'every key is read', READ_MS + patienceMs(world), workload.judge());
  await expectSoon(world, 'every replica has everything', HEALTHY_MS + patienceMs(world), () =>
    watch.areEqual(),
  );
  await expectSoon(world, 'every node has all metadata', HEALTHY_MS, () => watch.isMetadataEqual());
  watch.checkDisks();
  await expectRetention(world, expect, () => watch.areEqual());
  await expectRemoval(world, expect, () => watch.areEqual());
  await expectDoubt(world, expect, () => watch.areEqual());
  await expectDeposition(world, expect, () => watch.areEqual());
  await expectReturn(world, expect, () => watch.areEqual());
  await expectAbsence(world, expect, () => watch.areEqual());
  await expectReplacement(world, expect, () => watch.areEqual());
  await expectRemaking(world, expect, () => watch.areEqual());
  await expectDeletion(world, expect);
  await expectNothingLeft(world, expect);
  judge(world);
}

/** A directory that a broker has given up comes back with a start of it: somebody has looked after its disk. */
function restoreDirectories({ brokers }: SimWorld): void {
  for (const machine of brokers)
    if ((machine.environment.metrics.value('log_directories_offline') ?? 0) > 0) machine.kill(false);
}

/** Disks that fail may end a node; nothing else may. */
function mayEnd(world: SimWorld, reason: MachineEnd['reason']): boolean {
  if (reason !== 'storage' && reason !== 'sync-failed' && reason !== 'could not start') return false;
  return ['disk error', 'full disk'].some((kind) => world.trace.counters.has(`fault: ${kind}`));
}

async function makeTopics(world: SimWorld): Promise<void> {
  const topics = topicsOf(world.options);
  if (topics.length === 0) return;
  const client = world.client('maker');
  await expectDone(world, 'topics are made', STARTED_MS, client.admin.createTopics([...topics]));
  await client.close();
}

async function readEverything(world: SimWorld): Promise<void> {
  const client = world.client('final');
  const limitMs = READ_MS + patienceMs(world);
  await expectDone(world, 'everything is read', limitMs, readAll(world, 'final', client, true));
  await client.close();
}

/** What is in memory only can be lost by the last one in sync, however many had it. */
function demandsOf({ configs }: TopicPlan): TopicDemands {
  const compacted = isCompacted(configs);
  if (isWriteCaching(configs)) return { losesUnsynced: true, compacted };
  return { minInsyncReplicas: Number(configs['min.insync.replicas'] ?? 1), compacted };
}

/** Throws when the history shows an anomaly. */
export function judge(world: SimWorld): void {
  const topics = world.options.topics.map((topic) => [topic.name, demandsOf(topic)]);
  const { findings, counters } = checkHistory(world.recorder.events, {
    topics: Object.fromEntries(topics),
    required: [],
  });
  const reordered = counters['tolerated-reorderings'] ?? 0;
  if (reordered > 0) world.trace.count('records that changed places after a loss', reordered);
  const [first] = findings;
  if (first !== undefined)
    throw new Error(`the history shows ${first.kind}: {${first.message}} (${findings.length} findings)`, {
      cause: findings,
    });
}
