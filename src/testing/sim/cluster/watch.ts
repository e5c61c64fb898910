/**
 * What an observer that sees inside every node holds to be impossible, looked for between any two events.
 *
 *   a leader epoch has one leader; its high watermark never falls while it lives
 *   nothing that was below a high watermark is ever cut, and each later leader has it
 *   every running member of an in-sync set has what was committed, durably
 *   replicas have the same records below their high watermarks: the epoch of the last one tells
 *   a quorum epoch has one leader; controllers have the same image at the same offset
 *   in every image a leader is in sync and not fenced
 *
 * Source: Raft §5.2, KIP-101, KIP-279, KIP-966; KAFKA-14704, KAFKA-20839.
 */
import { NONE, type NodeId, type Offset, type Uuid } from '../../../base/index.ts';
import type { ReplicaView } from '../../../broker/index.ts';
import { imageDigest, type MetadataImage } from '../../../metadata/index.ts';
import { LawBroken } from './law-broken.ts';
import type { Machine } from './machine.ts';
import type { SimWorld } from './world.ts';

/** What was seen of one partition, over all its replicas and their lives. */
class PartitionWatch {
  readonly name: string;
  readonly leaders = new Map<number, NodeId>();
  /** The largest high watermark that a leader had. */
  committed: Offset = 0;
  /** By high watermark that some replica had: the leader epoch of the last record below it. */
  readonly epochs = new Map<Offset, number>();

  constructor(name: string) {
    this.name = name;
  }
}

/** One replica from the start of its broker, or its making, to its end. */
interface ReplicaLife {
  readonly watch: PartitionWatch;
  leaderEpoch: number;
  highWatermark: Offset;
  end: Offset;
  /** Of the in-sync set, as a leader. */
  isr: readonly NodeId[];
}

export class Watch {
  readonly #world: SimWorld;
  readonly #partitions = new Map<string, PartitionWatch>();
  readonly #lives = new WeakMap<ReplicaView, ReplicaLife>();
  readonly #quorumLeaders = new Map<number, NodeId>();
  /** Of each controller: looked at last. */
  readonly #images = new Map<NodeId, MetadataImage>();
  /** By offset. */
  readonly #digests = new Map<Offset, string>();

  constructor(world: SimWorld) {
    this.#world = world;
  }

  /** Throws LawBroken. */
  look(): void {
    for (const machine of this.#world.machines) {
      if (machine.node === undefined) continue;
      this.#lookAtQuorum(machine);
      this.#lookAtImage(machine);
      for (const replica of machine.node.broker?.replicas() ?? []) this.#lookAtReplica(machine, replica);
    }
  }

  #lookAtQuorum({ plan, node }: Machine): void {
    if (node?.controller?.isActive !== true) return;
    const { epoch } = node.raft.status();
    const known = this.#quorumLeaders.get(epoch);
    if (known === undefined) {
      this.#quorumLeaders.set(epoch, plan.id);
      this.#world.trace.count('elections of controllers');
    } else if (known !== plan.id)
      throw new LawBroken('a quorum epoch has one leader', { epoch, leaders: [known, plan.id] });
  }

  #lookAtImage({ plan, node }: Machine): void {
    const image = node?.controller?.image();
    if (image === undefined || image === this.#images.get(plan.id)) return;
    this.#images.set(plan.id, image);
    const { offset } = image;
    this.#lookAtLeaders(image);
    const digest = imageDigest(image);
    const known = this.#digests.get(offset);
    if (known === undefined) this.#digests.set(offset, digest);
    else if (known !== digest)
      throw new LawBroken('controllers have the same image at one offset', { offset, controller: plan.id });
  }

  #lookAtLeaders({ offset, topics, cluster }: MetadataImage): void {
    for (const { name, partitions } of topics.byName.values())
      for (const [partition, { leader, isr }] of partitions.entries())
        if (leader !== NONE && (!isr.includes(leader) || cluster.brokers.get(leader)?.fenced !== false))
          throw new LawBroken('a leader is in sync and not fenced', { name, partition, leader, isr, offset });
  }

  #lookAtReplica({ plan }: Machine, replica: ReplicaView): void {
    const { state, log } = replica;
    if (log.failure !== undefined) return;
    const life = this.#lives.get(replica) ?? this.#born(replica);
    const { watch } = life;
    const { logEndOffset, highWatermark } = log;
    if (logEndOffset < life.end) {
      this.#world.trace.count('truncations');
      // Emptied to go on elsewhere: by then it is no member of anything.
      if (logEndOffset < watch.committed && state.isr.isr.includes(plan.id) && log.logStartOffset === 0)
        throw new LawBroken('what was committed is not cut', {
          partition: watch.name,
          broker: plan.id,
          from: life.end,
          to: logEndOffset,
          committed: watch.committed,
        });
    }
    life.end = logEndOffset;
    if (highWatermark !== life.highWatermark) this.#lookAtAgreement(plan.id, watch, replica);
    if (state.isLeader) this.#lookAtLeader(plan.id, watch, life, replica);
    else life.leaderEpoch = NONE;
    life.highWatermark = highWatermark;
  }

  #lookAtLeader(id: NodeId, watch: PartitionWatch, life: ReplicaLife, replica: ReplicaView): void {
    const { state, log, topicId, partition } = replica;
    const { leaderEpoch } = state;
    const { highWatermark, logEndOffset } = log;
    const facts = { partition: watch.name, leaderEpoch, broker: id };
    if (life.leaderEpoch !== leaderEpoch) {
      const known = watch.leaders.get(leaderEpoch);
      if (known !== undefined && known !== id)
        throw new LawBroken('a leader epoch has one leader', { ...facts, other: known });
      if (known === undefined) this.#world.trace.count('elections of leaders');
      watch.leaders.set(leaderEpoch, id);
      const isLatest = Math.max(...watch.leaders.keys()) === leaderEpoch;
      if (isLatest && logEndOffset < watch.committed)
        throw new LawBroken('a leader has all that was committed', {
          ...facts,
          end: logEndOffset,
          committed: watch.committed,
        });
    } else if (highWatermark < life.highWatermark)
      throw new LawBroken('a high watermark does not fall', {
        ...facts,
        from: life.highWatermark,
        to: highWatermark,
      });
    const { isr } = state.isr;
    const isNews = highWatermark !== life.highWatermark || isr !== life.isr;
    this.#noteMembers(life, isr, life.leaderEpoch === leaderEpoch);
    life.leaderEpoch = leaderEpoch;
    if (highWatermark > watch.committed) watch.committed = highWatermark;
    if (isNews && leaderEpoch === Math.max(...watch.leaders.keys()))
      this.#lookAtMembers(watch, topicId, partition, isr);
  }

  #noteMembers(life: ReplicaLife, isr: readonly NodeId[], isSameLeader: boolean): void {
    if (isSameLeader && isr.length < life.isr.length) this.#world.trace.count('in-sync sets shrunk');
    if (isSameLeader && isr.length > life.isr.length) this.#world.trace.count('in-sync sets grown');
    life.isr = isr;
  }

  /** Whoever may be elected holds all that was committed, and no power failure takes it away. */
  #lookAtMembers(watch: PartitionWatch, topicId: Uuid, partition: number, isr: readonly NodeId[]): void {
    for (const id of isr) {
      const log = this.#findLog(id, topicId, partition);
      if (log === undefined || log.failure !== undefined || log.flushedOffset >= watch.committed) continue;
      const { name, committed } = watch;
      const facts = { partition: name, broker: id, flushed: log.flushedOffset, committed };
      throw new LawBroken('what is committed is durable on all who are in sync', facts);
    }
  }

  #findLog(id: NodeId, topicId: Uuid, partition: number): ReplicaView['log'] | undefined {
    for (const replica of this.#world.machine(id).node?.broker?.replicas() ?? [])
      if (replica.topicId === topicId && replica.partition === partition) return replica.log;
    return undefined;
  }

  /** An epoch and an offset name one record, and all before it. */
  #lookAtAgreement(id: NodeId, watch: PartitionWatch, { log }: ReplicaView): void {
    const { highWatermark, logStartOffset } = log;
    if (highWatermark <= logStartOffset) return;
    const epoch = log.epochAt(highWatermark - 1);
    const known = watch.epochs.get(highWatermark);
    if (known === undefined) watch.epochs.set(highWatermark, epoch);
    else if (known !== epoch)
      throw new LawBroken('replicas agree below their high watermarks', {
        partition: watch.name,
        broker: id,
        highWatermark,
        epoch,
        known,
      });
  }

  #born(replica: ReplicaView): ReplicaLife {
    const { highWatermark, logEndOffset } = replica.log;
    const life = {
      watch: this.#of(replica),
      leaderEpoch: NONE,
      highWatermark,
      end: logEndOffset,
      isr: [],
    };
    this.#lives.set(replica, life);
    return life;
  }

  #of({ topic, partition, topicId }: ReplicaView): PartitionWatch {
    const key = `${topicId}-${partition}`;
    const known = this.#partitions.get(key);
    if (known !== undefined) return known;
    const watch = new PartitionWatch(`${topic}-${partition}`);
    this.#partitions.set(key, watch);
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
}
