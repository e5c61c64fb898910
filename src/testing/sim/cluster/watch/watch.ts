/**
 * What an observer that sees inside every node and every disk holds to be impossible, looked for between any two events.
 *
 * Here is what is looked at, and when; what must hold is in the laws. An event of one machine changes nothing of another,
 * for only messages cross, which take their time: so after it that machine is looked at, after one of a client none, and
 * all after what belongs to nobody.
 */
import {
  ApiError,
  type LeaderEpoch,
  type NodeId,
  type Offset,
  type PartitionEpoch,
  type PartitionId,
} from '../../../../base/index.ts';
import type { ReplicaView } from '../../../../broker/index.ts';
import { decodeNewestHardState } from '../../../../raft/index.ts';
import type { ServerNode } from '../../../../server/index.ts';
import type { DurableFile } from '../../../twins/index.ts';
import { LawBroken } from '../law-broken.ts';
import type { Machine } from '../machine.ts';
import { isCompacted, topicsOf } from '../options.ts';
import type { SimWorld } from '../world.ts';
import { DurableLog } from './durable-log.ts';
import { probeEnd } from './end-probe.ts';
import { EntryLaws } from './entry-laws.ts';
import { EqualLogs } from './equal-logs.ts';
import { ImageLaws, ImageLife } from './image-laws.ts';
import { MemberNews } from './member-news.ts';
import { PartitionLaws, PartitionWatch, ReplicaLife } from './partition-laws.ts';
import { judgeProgress, ProgressLife } from './progress-laws.ts';
import { QuorumLaws, QuorumLife } from './quorum-laws.ts';
import { storedEntry } from './stored-entry.ts';

/** Where every machine keeps what it promised the quorum. */
const STATE_PATH = '/data/__cluster_metadata-0/quorum-state';

/** What a broker said before its disk was replaced has arrived by then. */
const OLD_NEWS_MS = 60_000;

/** What stays of a machine from look to look. */
class MachineSight {
  node: ServerNode | undefined;
  quorum = new QuorumLife();
  image = new ImageLife();
  stateFile: DurableFile | undefined;
  stateVersion = 0;
  directoryId = '';
  /** Entries of the metadata log below it were compared. */
  entriesChecked: Offset = 0;
}

export class Watch {
  readonly #world: SimWorld;
  readonly #partitions = new Map<string, PartitionWatch>();
  /** By topic and partition, the newest of that name. */
  readonly #byName = new Map<string, PartitionWatch>();
  readonly #replicas = new WeakMap<ReplicaView, ReplicaLife>();
  readonly #progress = new WeakMap<ReplicaLife, ProgressLife>();
  readonly #sights: readonly MachineSight[];
  readonly #quorum = new QuorumLaws();
  readonly #entries = new EntryLaws();
  readonly #images = new ImageLaws();
  readonly #laws: PartitionLaws;
  readonly #members = new MemberNews();

  constructor(world: SimWorld) {
    this.#world = world;
    this.#sights = world.machines.map(() => new MachineSight());
    this.#laws = new PartitionLaws({
      disk: (id) => world.rot.soundFiles(world.machine(id)),
      isOldNews: (id, partition, known) => this.#isOldNews(id, partition, known),
      count: (what, by) => world.trace.count(what, by),
      allAcks: () => world.allAcks,
    });
    world.onPowerLoss = (machine) => {
      const files = world.rot.soundFiles(machine);
      for (const { lostTails } of this.#partitions.values()) lostTails.losePower(machine.plan.id, files);
    };
  }

  /** Throws LawBroken. */
  look(): void {
    const { machines, scheduler } = this.#world;
    const { owner } = scheduler;
    for (const [i, machine] of machines.entries())
      if (owner === undefined || owner === machine.name)
        this.#lookAt(machine, this.#sights[i] as MachineSight);
  }

  #lookAt(machine: Machine, sight: MachineSight): void {
    const { node } = machine;
    this.#lookAtState(machine, sight);
    if (node === undefined) return;
    if (node !== sight.node) {
      sight.node = node;
      sight.quorum = new QuorumLife();
      sight.image = new ImageLife();
    }
    const image = node.controller?.image() ?? node.broker?.image();
    if (image !== undefined && image !== sight.image.image) {
      this.#members.see(image);
      this.#images.see(sight.image, machine.name, image);
    }
    this.#lookAtQuorum(machine, node, sight);
    for (const replica of node.broker?.replicas() ?? []) {
      const life = this.#replicas.get(replica) ?? this.#born(replica);
      const { leaderEpoch } = life;
      this.#laws.see(life, replica);
      if (!replica.state.isLeader) continue;
      this.#lookAtProgress(life, replica);
      if (life.leaderEpoch !== leaderEpoch) this.#probeEnd(machine, life, replica);
    }
  }

  /** End of what a leader has ever shown as committed. */
  committedEnd(topic: string, partition: PartitionId): Offset {
    return this.#byName.get(`${topic}-${partition}`)?.committed ?? 0;
  }

  /** The leader epoch of a committed record; undefined: nobody knows one there. */
  committedEpoch(topic: string, partition: PartitionId, offset: Offset): LeaderEpoch | undefined {
    return this.#byName.get(`${topic}-${partition}`)?.batches.epochAt(offset);
  }

  /** Somebody was told that the records below `before` are gone. */
  noteDeleted(topic: string, partition: PartitionId, before: Offset): void {
    const watch = this.#byName.get(`${topic}-${partition}`);
    if (watch !== undefined) watch.deleted = Math.max(watch.deleted, before);
  }

  #lookAtProgress(life: ReplicaLife, replica: ReplicaView): void {
    if (replica.state.leaderEpoch < life.watch.latestEpoch || life.watch.isCompacted) return;
    const progress = this.#progress.get(life) ?? new ProgressLife();
    this.#progress.set(life, progress);
    const { name } = life.watch;
    const { scheduler } = this.#world;
    const { partitionEpoch } = replica.state;
    judgeProgress(progress, name, replica, (id) => {
      const { isUp, newDiskMs } = this.#world.machine(id);
      const isFresh = scheduler.nowMs - newDiskMs <= OLD_NEWS_MS;
      const isAsTold = isUp && !isFresh && !this.#isOldNews(id, life.watch, partitionEpoch);
      return isAsTold ? this.#laws.diskOf(life.watch, replica, id) : undefined;
    });
  }

  /** Of a new leader, when it does not know yet all that was committed. */
  #probeEnd(
    { name, node }: Machine,
    { watch }: ReplicaLife,
    { topic, partition, log, state }: ReplicaView,
  ): void {
    const { leaderEpoch, policy } = state;
    const { committed } = watch;
    const isBehind = leaderEpoch === watch.latestEpoch && log.highWatermark < committed;
    const broker = node?.broker;
    if (!isBehind || policy.writeCaching || broker === undefined) return;
    const question = { topic, partition, leaderEpoch, committed };
    const { scheduler, trace } = this.#world;
    trace.count('new leaders asked for the end');
    const ask = (): void => {
      probeEnd(broker, question).catch((error: unknown) => {
        if (!(error instanceof ApiError)) this.#world.fail(error);
      });
    };
    scheduler.after(0, ask, name);
  }

  /** Whoever counts on what `id` has may be wrong. */
  #isOldNews(id: NodeId, partition: PartitionWatch, known: PartitionEpoch): boolean {
    return this.#members.hasLeft(id, partition, known) || this.#world.rot.hasRotted(id, partition.name);
  }

  /** What its disk says that it promised. */
  #lookAtState({ files }: Machine, sight: MachineSight): void {
    const file = files.findDurable(STATE_PATH);
    if (file === undefined || (file === sight.stateFile && file.durableVersion === sight.stateVersion))
      return;
    sight.stateFile = file;
    sight.stateVersion = file.durableVersion;
    const { buffer, byteOffset, byteLength } = file.durableBytes;
    const copy = decodeNewestHardState(Buffer.from(buffer, byteOffset, byteLength));
    if (copy === undefined) return;
    this.#quorum.saved(copy.identity.directoryId, copy.state);
  }

  #lookAtQuorum(machine: Machine, node: ServerNode, sight: MachineSight): void {
    const status = node.raft.status();
    this.#quorum.see(sight.quorum, status);
    if (node.controller?.isActive === true && this.#quorum.lead(status.epoch, status.nodeId))
      this.#world.trace.count('elections of controllers');
    const { role, highWatermark, voters, directoryId } = status;
    if (role === 'leader')
      for (let offset = this.#entries.end; offset < highWatermark; offset++)
        this.#entries.commit(
          offset,
          voters.map(({ id }) => storedEntry(this.#world.machine(id).stores, offset)),
        );
    if (directoryId !== sight.directoryId) {
      sight.directoryId = directoryId;
      sight.entriesChecked = 0;
    }
    this.#compareEntries(machine, sight, highWatermark);
  }

  #compareEntries({ name, stores }: Machine, sight: MachineSight, highWatermark: Offset): void {
    while (sight.entriesChecked < highWatermark) {
      const offset = sight.entriesChecked;
      if (!this.#entries.agrees(name, offset, storedEntry(stores, offset))) return;
      sight.entriesChecked++;
    }
  }

  #born(replica: ReplicaView): ReplicaLife {
    const life = new ReplicaLife(this.#of(replica), replica);
    this.#replicas.set(replica, life);
    const { directory } = replica.log;
    const slash = directory.lastIndexOf('/');
    const { places } = this.#world.machine(replica.state.nodeId);
    places.set(directory.slice(slash + 1), directory.slice(0, slash));
    return life;
  }

  #of({ topic, partition, topicId }: ReplicaView): PartitionWatch {
    const key = `${topicId}-${partition}`;
    const known = this.#partitions.get(key);
    if (known !== undefined) return known;
    const plan = topicsOf(this.#world.options).find(({ name }) => name === topic);
    const watch = new PartitionWatch(topicId, `${topic}-${partition}`, isCompacted(plan?.configs));
    this.#partitions.set(key, watch);
    this.#byName.set(watch.name, watch);
    return watch;
  }

  /** True when all replicas of a partition end at the same place, and all of it is committed. */
  areEqual(): boolean {
    const ends = new Map<string, Offset>();
    for (const { node } of this.#world.brokers)
      for (const { topic, partition, log } of node?.broker?.replicas() ?? []) {
        const name = `${topic}-${partition}`;
        const end = ends.get(name) ?? log.logEndOffset;
        if (end !== log.logEndOffset || log.highWatermark !== end) return false;
        ends.set(name, end);
      }
    return true;
  }

  /** True when every node has the same metadata, and every disk all of it that any has. */
  isMetadataEqual(): boolean {
    const digests = new Set(this.#sights.map(({ image }) => image.digest()));
    return (
      digests.size === 1 &&
      this.#sights.every(({ entriesChecked }) => entriesChecked >= this.#entries.end - 1)
    );
  }

  /**
   * Once `areEqual`: all replicas have the same batches, and every disk has every batch that was ever committed and not
   * deleted. Throws LawBroken.
   */
  checkDisks(): void {
    const equal = new EqualLogs();
    for (const { plan, node, files } of this.#world.brokers)
      for (const replica of node?.broker?.replicas() ?? []) {
        const { name: partition, batches, committed, isCompacted: mayDiffer } = this.#of(replica);
        if (mayDiffer) continue;
        const { directory, logStartOffset } = replica.log;
        equal.add(partition, plan.id, logStartOffset, files, directory);
        const missing = batches.missing(new DurableLog(files, directory), logStartOffset);
        if (missing === undefined) continue;
        const facts = { partition, broker: plan.id, ...missing, logStartOffset, committed };
        throw new LawBroken('in the end every replica has all that was committed', facts);
      }
    equal.check();
  }
}
