/**
 * What an observer that sees inside every node holds to be impossible, looked for between any two events.
 *
 *   a leader epoch has one leader; its high watermark never falls while it lives
 *   nothing that was below a high watermark is ever cut, and each later leader has it
 *   a quorum epoch has one leader
 *
 * Source: Raft §5.2, KIP-101, KIP-279, KIP-966.
 */
import { NONE, type NodeId, type Offset } from '../../../base/index.ts';
import type { ReplicaView } from '../../../broker/index.ts';
import type { Machine } from './machine.ts';
import type { SimWorld } from './world.ts';

/** A law of safety that does not hold. */
export class LawBroken extends Error {
  readonly law: string;

  constructor(law: string, facts: Readonly<Record<string, unknown>>) {
    super(`${law}: ${JSON.stringify(facts)}`);
    this.name = 'LawBroken';
    this.law = law;
  }
}

/** What was seen of one partition, over all its replicas and their lives. */
class PartitionWatch {
  readonly name: string;
  readonly leaders = new Map<number, NodeId>();
  /** The largest high watermark that a leader had. */
  committed: Offset = 0;

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
  members: number;
}

export class Watch {
  readonly #world: SimWorld;
  readonly #partitions = new Map<string, PartitionWatch>();
  readonly #lives = new WeakMap<ReplicaView, ReplicaLife>();
  readonly #quorumLeaders = new Map<number, NodeId>();

  constructor(world: SimWorld) {
    this.#world = world;
  }

  /** Throws LawBroken. */
  look(): void {
    for (const machine of this.#world.machines) {
      if (machine.node === undefined) continue;
      this.#lookAtQuorum(machine);
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
    if (state.isLeader) this.#lookAtLeader(plan.id, watch, life, replica);
    else life.leaderEpoch = NONE;
    life.highWatermark = highWatermark;
  }

  #lookAtLeader(id: NodeId, watch: PartitionWatch, life: ReplicaLife, { state, log }: ReplicaView): void {
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
    this.#noteMembers(life, state.isr.isr.length, life.leaderEpoch === leaderEpoch);
    life.leaderEpoch = leaderEpoch;
    if (highWatermark > watch.committed) watch.committed = highWatermark;
  }

  #noteMembers(life: ReplicaLife, members: number, isSameLeader: boolean): void {
    if (isSameLeader && members < life.members) this.#world.trace.count('in-sync sets shrunk');
    if (isSameLeader && members > life.members) this.#world.trace.count('in-sync sets grown');
    life.members = members;
  }

  #born(replica: ReplicaView): ReplicaLife {
    const { highWatermark, logEndOffset } = replica.log;
    const life = {
      watch: this.#of(replica),
      leaderEpoch: NONE,
      highWatermark,
      end: logEndOffset,
      members: 0,
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
