/**
 * The world of one run: machines, network, clients, all in virtual time, and what is written down of it.
 *
 * Independent streams of chance, one per part, come from the one seed: one more draw in a client does not shift the
 * network.
 */
import {
  assert,
  type LeaderEpoch,
  type NodeId,
  type Offset,
  type PartitionId,
  SeededRandom,
} from '../../../base/index.ts';
import type { ReplicaView } from '../../../broker/index.ts';
import { Client, type ClientSettings } from '../../../client/index.ts';
import type { LogFields } from '../../../env/index.ts';
import type { MetadataImage } from '../../../metadata/index.ts';
import { createMemoryNetwork, type MemoryNetwork } from '../../../rpc/memory/index.ts';
import { HistoryRecorder } from '../../checkers/index.ts';
import {
  createTestEnvironment,
  RecordingLogger,
  Scheduler,
  type TestEnvironment,
  VirtualTimers,
} from '../../twins/index.ts';
import type { Trace } from '../trace.ts';
import { FailurePoints } from './failure-points.ts';
import { Machine, type MachineEnd } from './machine.ts';
import type { ClusterSimOptions } from './options.ts';
import { bootstrapOf, planMachines } from './plan.ts';
import { assertNothingLeft } from './recovery.ts';
import { Rot } from './rot.ts';

/** Whose the events of clients are that wait. */
const CLIENTS = 'clients';

/** What the trace hashes, by number. */
const TRACED = { step: 1, note: 2 } as const;

/** A pause is never longer than so many mean ones. */
export const PAUSES_MAX = 2;

export class SimWorld {
  readonly options: ClusterSimOptions;
  readonly trace: Trace;
  readonly scheduler: Scheduler;
  readonly network: MemoryNetwork;
  readonly machines: readonly Machine[];
  readonly recorder: HistoryRecorder;
  readonly points = new FailurePoints();
  /** The first thing that must never happen. */
  failure: unknown;
  /** All nodes are stopped: one that ends by itself meanwhile is not started again. */
  isStopping = false;
  /** Every record was sent to be stored by all. */
  allAcks: boolean;
  /** Looks at everything between two events. */
  watch: () => void = () => {};
  /** What the watch knows: the end of what was ever committed. */
  committedEnd: (topic: string, partition: PartitionId) => Offset = () => Number.POSITIVE_INFINITY;
  /** And the leader epoch of what was committed there; undefined: nobody knows. */
  committedEpoch: (topic: string, partition: PartitionId, offset: Offset) => LeaderEpoch | undefined = () =>
    undefined;
  /** Told when a client was told that records are deleted. */
  noteDeleted: (topic: string, partition: PartitionId, before: Offset) => void = () => {};
  /** Told when a node has ended by itself. */
  onEnd: (machine: Machine, end: MachineEnd) => void = () => {};
  /** Told before the disk of a machine forgets what was not synced. */
  onPowerLoss: (machine: Machine) => void = () => {};
  /** Bits that turned on disks. */
  readonly rot: Rot;
  /** Milliseconds that a message takes longer than others, by `<from>><to>`. */
  readonly linkDelays = new Map<string, number>();
  /** How many times slower than others the disk of a machine is, by name. */
  readonly diskSpeeds = new Map<string, number>();
  /** Of clients that were made: their names in the network. */
  readonly clientNames: string[] = [];
  /** Of the network: what no caller should meet. */
  readonly #calls = new RecordingLogger();
  readonly #bootstrap: string;
  #diskBusyUntilMs = 0;
  readonly #arrivals = new Map<string, VirtualTimers>();

  constructor(options: ClusterSimOptions, trace: Trace) {
    const { seed } = options;
    this.options = options;
    this.allAcks = (options.bluntProducers ?? 0) === 0;
    this.trace = trace;
    this.scheduler = new Scheduler({ random: new SeededRandom(seed, 'schedule') });
    this.network = createMemoryNetwork({
      timers: new VirtualTimers(this.scheduler),
      random: new SeededRandom(seed, 'network'),
      delayMs: this.#delays(),
      arrivals: (node) => this.#arrivalsAt(node),
      turn: () => this.scheduler.executed,
      logger: this.#calls,
    });
    this.recorder = new HistoryRecorder(() => this.scheduler.nowMs);
    this.rot = new Rot({ image: () => this.#image(), count: (what) => trace.count(what) });
    const plans = planMachines(options);
    this.#bootstrap = bootstrapOf(plans);
    this.machines = plans.map((plan) => {
      const disk = new VirtualTimers(this.scheduler, { owner: plan.name });
      const environment = createTestEnvironment({
        seed,
        scheduler: this.scheduler,
        name: plan.name,
        disk: { scheduler: disk, delayMs: this.#diskDelays(plan.name) },
        onFatal: (end) => machine.end(end),
      });
      const machine: Machine = new Machine({
        plan,
        environment,
        disk,
        network: this.network,
        onLifeBegins: (begun) => this.#beginLife(begun),
        onPowerLoss: (down) => this.#losePower(down),
        onStopped: ({ name, environment: left }) => this.#judgeLeft(name, left),
        onLifeOver: (life) => this.count(life),
        onEnd: (ended, end) => this.onEnd(ended, end),
      });
      return machine;
    });
  }

  get brokers(): readonly Machine[] {
    return this.machines.filter(({ plan }) => plan.role === 'broker');
  }

  get controllers(): readonly Machine[] {
    return this.machines.filter(({ plan }) => plan.role === 'controller');
  }

  /** Of all machines together. */
  get powerLosses(): number {
    return this.machines.reduce((sum, { powerLosses }) => sum + powerLosses, 0);
  }

  machine(id: NodeId): Machine {
    const found = this.machines.find(({ plan }) => plan.id === id);
    assert(found !== undefined, 'the cluster has the machine', { id });
    return found;
  }

  /** The running controller that acts as the active one; of several, the one of the latest epoch. */
  activeController(): Machine | undefined {
    const acting = this.controllers.filter(({ node }) => node?.controller?.isActive === true);
    const epochOf = (machine: Machine): number => machine.node?.raft.status().epoch ?? -1;
    return acting.toSorted((a, b) => epochOf(b) - epochOf(a))[0];
  }

  /** The running broker that acts as leader of the partition, of several the one of the latest epoch. */
  leaderOf(topic: string, partition: PartitionId): Machine | undefined {
    const leading = this.findLeading(topic, partition);
    return leading === undefined ? undefined : this.machine(leading.state.nodeId);
  }

  /** Its replica. */
  findLeading(topic: string, partition: PartitionId): ReplicaView | undefined {
    let found: ReplicaView | undefined;
    for (const { node } of this.brokers)
      for (const replica of node?.broker?.replicas() ?? []) {
        const { state } = replica;
        if (replica.topic !== topic || replica.partition !== partition || !state.isLeader) continue;
        if (found === undefined || state.leaderEpoch > found.state.leaderEpoch) found = replica;
      }
    return found;
  }

  /** A client process of its own on a machine of its own. */
  client(name: string, settings: Partial<ClientSettings> = {}): Client {
    const { seed } = this.options;
    if (!this.clientNames.includes(name)) this.clientNames.push(name);
    const environment = createTestEnvironment({ seed, scheduler: this.scheduler, name });
    return new Client({
      bootstrap: this.#bootstrap,
      clientId: name,
      ...settings,
      transport: this.network.transport(name),
      environment,
    });
  }

  /** A client pauses for about `meanMs`, as `random` draws; never much longer, for who pauses does not hear that all is over. */
  async pause(random: SeededRandom, meanMs: number): Promise<void> {
    const delayMs = Math.min(PAUSES_MAX, -Math.log(1 - random.float())) * meanMs;
    await new Promise<void>((resolve) => this.scheduler.after(delayMs, resolve, CLIENTS));
  }

  after(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.scheduler.after(delayMs, resolve));
  }

  /** Takes note of what a life of a node says of itself. */
  count({ metrics, logger }: TestEnvironment): void {
    const { trace } = this;
    trace.count('requests fenced', metrics.value('broker_fetches_refused_total') ?? 0);
    trace.count('batches deduplicated', metrics.value('log_append_repetitions_total') ?? 0);
    trace.count('tails cut', logger.find('cut an unsynced tail').length);
    trace.count('damaged logs fetched anew', logger.find('set a damaged log aside').length);
    trace.count('data directories offline', logger.find('data directory is offline').length);
    trace.count('logs compacted', logger.find('compacted a log').length);
    trace.count('indexes made anew', logger.find('made a wrong index anew').length);
  }

  #beginLife(machine: Machine): void {
    this.points.begin(machine);
    this.rot.beginLife(machine);
  }

  #image(): MetadataImage | undefined {
    const active = this.activeController();
    return active?.isPaused === false ? active.node?.controller?.image() : undefined;
  }

  #losePower(machine: Machine): void {
    const fault = { f: 'fault', fault: 'lost power', nodes: [machine.plan.id], lossy: 'unsynced' } as const;
    this.recorder.note('nemesis', fault);
    this.onPowerLoss(machine);
  }

  /** A node that stops in the midst of work leaves nothing either. */
  #judgeLeft(name: string, environment: TestEnvironment): void {
    try {
      assertNothingLeft(name, environment);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Writes down what happens to the world itself. */
  note(text: string): void {
    this.trace.event(this.scheduler.nowMs, TRACED.note, text.length, 0, 0, () => `*** ${text}`);
  }

  /** Until every operation of a disk that has begun is over. */
  get diskBusyMs(): number {
    return Math.max(0, this.#diskBusyUntilMs - this.scheduler.nowMs);
  }

  fail(error: unknown): void {
    this.failure ??= error;
  }

  /** Runs until `until` holds: true; false when `limitMs` have passed or something has failed. */
  async run(until: () => boolean, limitMs: number): Promise<boolean> {
    const { scheduler, trace } = this;
    const done = await scheduler.runUntil(() => {
      trace.mix(scheduler.nowMs, TRACED.step, scheduler.pending, 0, 0);
      this.#look();
      return this.failure !== undefined || until();
    }, limitMs);
    return done && this.failure === undefined;
  }

  #look(): void {
    if (this.failure !== undefined) return;
    const line = this.#calls.lines[0];
    if (line !== undefined) this.fail(new Error(`${line.message}: ${describe(line.fields)}`));
    try {
      this.watch();
    } catch (error) {
      this.fail(error);
    }
  }

  #arrivalsAt(node: string): VirtualTimers {
    let timers = this.#arrivals.get(node);
    if (timers === undefined) {
      timers = new VirtualTimers(this.scheduler, { owner: node });
      this.#arrivals.set(node, timers);
    }
    return timers;
  }

  #delays(): (from: string, to: string) => number {
    const { seed, delayMinMs, delayMeanMs } = this.options;
    const random = new SeededRandom(seed, 'delays');
    return (from, to) =>
      delayMinMs - Math.log(1 - random.float()) * delayMeanMs + (this.linkDelays.get(`${from}>${to}`) ?? 0);
  }

  #diskDelays(name: string): () => number {
    const { seed, diskMeanMs } = this.options;
    const random = new SeededRandom(seed, `disk of ${name}`);
    return () => {
      const delayMs = -Math.log(1 - random.float()) * diskMeanMs * (this.diskSpeeds.get(name) ?? 1);
      this.#diskBusyUntilMs = Math.max(this.#diskBusyUntilMs, this.scheduler.nowMs + delayMs);
      return delayMs;
    };
  }
}

function describe(fields: LogFields): string {
  return Object.entries(fields)
    .map(
      ([key, value]) => `${key}=${value instanceof Error ? (value.stack ?? value.message) : String(value)}`,
    )
    .join(' ');
}
