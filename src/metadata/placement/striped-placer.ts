/**
 * Where the replicas of new partitions go.
 *
 * Goals, the first one wins: the leader is alive; replicas of a partition are on different racks while there are racks;
 * leaders and replicas spread evenly over brokers. No broker is twice in a partition. Fenced brokers get replicas only
 * where their rack has no living one left.
 *
 * Algorithm: brokers stand in a circle per rack (living and fenced apart), racks in a circle of their own. Each partition
 * starts one rack further and, in each circle it touches, one broker further than the last partition did. The first rack at
 * or after the start that has a living broker gives the leader; then every other rack in turn gives one replica, living
 * before fenced. After as many partitions as there are living brokers all circles are shuffled, else the same replica sets
 * would come again and again.
 *
 *   racks a = {1, 2}, b = {3}, rf 2:   partition 0: 1 3    partition 1: 3 2    partition 2: 1 3 ...
 *
 * Source: Kafka's StripedReplicaPlacer. Ours: a circle remembers the partition it served by a number that never restarts;
 * Kafka restarts it with each shuffle, where an exhausted circle could be taken for one that served this partition already.
 */
import { assert, type NodeId, type Random, shuffle } from '../../base/index.ts';

/** A broker that may get replicas: registered and not shutting down. */
export interface UsableBroker {
  readonly id: NodeId;
  readonly rack?: string | undefined;
  readonly fenced: boolean;
}

/** Why nothing can be placed, in words; undefined when it can. */
export function placementProblem(
  brokers: readonly UsableBroker[],
  replicationFactor: number,
): string | undefined {
  const unfenced = brokers.filter(({ fenced }) => !fenced).length;
  if (replicationFactor <= 0) return `replication factor ${replicationFactor} is not positive`;
  if (replicationFactor > brokers.length)
    return `replication factor ${replicationFactor} is larger than the number of usable brokers, ${brokers.length}${
      brokers.length > 0 ? ` (${unfenced} alive)` : ''
    }; start more brokers or ask for fewer replicas`;
  if (unfenced === 0) return `none of the ${brokers.length} registered brokers is alive; start one first`;
  return undefined;
}

/**
 * Replicas of `partitions` new partitions, the leader of each first. `placementProblem` must have found none.
 * Cost: O(partitions * (replicationFactor + racks)).
 */
export function placeReplicas(
  brokers: readonly UsableBroker[],
  partitions: number,
  replicationFactor: number,
  random: Random,
): NodeId[][] {
  const problem = placementProblem(brokers, replicationFactor);
  assert(problem === undefined, problem ?? '');
  const racks = new RackCircle(brokers, random);
  return Array.from({ length: partitions }, () => racks.place(replicationFactor));
}

class BrokerCircle {
  readonly #brokers: NodeId[] = [];
  #start = 0;
  #taken = 0;
  #partition = -1;

  add(id: NodeId): void {
    this.#brokers.push(id);
  }

  sortAndStart(random: Random): void {
    this.#brokers.sort((a, b) => a - b);
    if (this.#brokers.length > 0) this.#start = random.integer(0, this.#brokers.length);
  }

  shuffle(random: Random): void {
    shuffle(this.#brokers, random);
  }

  /** A broker that this partition has not got yet; undefined when it has all of this circle. */
  take(partition: number): NodeId | undefined {
    const { length } = this.#brokers;
    if (this.#partition !== partition && length > 0) {
      this.#partition = partition;
      this.#taken = 0;
      this.#start = (this.#start + 1) % length;
    }
    if (this.#taken >= length) return undefined;
    const id = this.#brokers[(this.#start + this.#taken) % length];
    this.#taken += 1;
    return id;
  }
}

interface Rack {
  readonly unfenced: BrokerCircle;
  readonly fenced: BrokerCircle;
}

class RackCircle {
  readonly #racks: Rack[];
  readonly #random: Random;
  readonly #unfencedCount: number;
  #cursor: number;
  #partition = 0;
  #sinceShuffle = 0;

  constructor(brokers: readonly UsableBroker[], random: Random) {
    const byName = new Map<string, Rack>();
    for (const { id, rack: name = '', fenced } of brokers) {
      const rack = byName.get(name) ?? { unfenced: new BrokerCircle(), fenced: new BrokerCircle() };
      (fenced ? rack.fenced : rack.unfenced).add(id);
      byName.set(name, rack);
    }
    this.#racks = [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, rack]) => rack);
    for (const { unfenced, fenced } of this.#racks) {
      unfenced.sortAndStart(random);
      fenced.sortAndStart(random);
    }
    this.#random = random;
    this.#unfencedCount = brokers.filter(({ fenced }) => !fenced).length;
    this.#cursor = random.integer(0, this.#racks.length);
  }

  place(replicationFactor: number): NodeId[] {
    if (this.#sinceShuffle === this.#unfencedCount && this.#unfencedCount > 1) this.#shuffle();
    const { rack: leaderRack, leader } = this.#takeLeader();
    const replicas = [leader];
    let isLeaderRackSkipped = false;
    for (let index = this.#cursor; replicas.length < replicationFactor; index++) {
      const at = index % this.#racks.length;
      if (at === leaderRack && !isLeaderRackSkipped) {
        isLeaderRackSkipped = true;
        continue;
      }
      const rack = this.#racks[at];
      const id = rack?.unfenced.take(this.#partition) ?? rack?.fenced.take(this.#partition);
      if (id !== undefined) replicas.push(id);
    }
    this.#cursor = (this.#cursor + 1) % this.#racks.length;
    this.#partition += 1;
    this.#sinceShuffle += 1;
    return replicas;
  }

  #takeLeader(): { rack: number; leader: NodeId } {
    for (let i = 0; i < this.#racks.length; i++) {
      const rack = (this.#cursor + i) % this.#racks.length;
      const leader = this.#racks[rack]?.unfenced.take(this.#partition);
      if (leader !== undefined) return { rack, leader };
    }
    assert(false, 'no unfenced broker to lead');
  }

  #shuffle(): void {
    shuffle(this.#racks, this.#random);
    for (const { unfenced, fenced } of this.#racks) {
      unfenced.shuffle(this.#random);
      fenced.shuffle(this.#random);
    }
    this.#sinceShuffle = 0;
  }
}
