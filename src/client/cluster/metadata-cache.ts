/**
 * What the client believes of brokers and leaders. Pure.
 *
 * Leadership only moves forward: of two answers about one partition the one with the higher leader epoch
 * counts, whichever came last, since a broker may lag behind in metadata. Another topic id starts over.
 * Source: KIP-320, KIP-951.
 */
import {
  type LeaderEpoch,
  type MonotonicMs,
  NONE,
  type NodeId,
  type Offset,
  type Uuid,
} from '../../base/index.ts';
import type {
  Address,
  BrokerDescription,
  CurrentLeader,
  MetadataReply,
  TopicDescription,
} from '../../rpc/api/index.ts';

export interface TopicMetadata {
  readonly topicId: Uuid;
  /** Partition i at index i. */
  readonly partitions: readonly PartitionLeader[];
  /** Everything below this metadata offset is in it. */
  readonly metadataOffset: Offset;
  readonly updatedMs: MonotonicMs;
}

export interface PartitionLeader {
  /** -1: none. */
  readonly leaderId: NodeId;
  /** -1: unknown. */
  readonly leaderEpoch: LeaderEpoch;
}

export class MetadataCache {
  readonly #topics = new Map<string, TopicMetadata>();
  readonly #addresses = new Map<NodeId, Address>();
  #brokers: readonly BrokerDescription[] = [];

  /** Brokers that the last answer called alive. */
  get brokers(): readonly BrokerDescription[] {
    return this.#brokers;
  }

  findTopic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name);
  }

  /** The leader and where it listens; undefined: unknown or none. */
  findLeader(topic: string, partition: number): { nodeId: NodeId; leaderEpoch: LeaderEpoch } | undefined {
    const found = this.#topics.get(topic)?.partitions[partition];
    if (found === undefined || found.leaderId === NONE) return undefined;
    return { nodeId: found.leaderId, leaderEpoch: found.leaderEpoch };
  }

  findAddress(nodeId: NodeId): Address | undefined {
    return this.#addresses.get(nodeId);
  }

  /** Takes over an answer. True: a partition has another leader or a newer epoch than believed. */
  apply(reply: MetadataReply, nowMs: MonotonicMs): boolean {
    this.#brokers = reply.brokers;
    for (const broker of reply.brokers) this.#addresses.set(broker.nodeId, broker.address);
    let moved = false;
    for (const topic of reply.topics) {
      if (topic.error === 'NONE') moved = this.#applyTopic(topic, reply.metadataOffset, nowMs) || moved;
      else if (isGone(topic)) moved = this.#topics.delete(topic.name) || moved;
    }
    return moved;
  }

  /** A broker that refused said who leads now. False: that is not news. */
  learnLeader(topic: string, partition: number, leader: CurrentLeader): boolean {
    if (leader.address !== undefined) this.#addresses.set(leader.nodeId, leader.address);
    const known = this.#topics.get(topic);
    const before = known?.partitions[partition];
    if (known === undefined || before === undefined || leader.leaderEpoch <= before.leaderEpoch) return false;
    if (leader.nodeId !== NONE && !this.#addresses.has(leader.nodeId)) return false;
    const partitions = known.partitions.with(partition, {
      leaderId: leader.nodeId,
      leaderEpoch: leader.leaderEpoch,
    });
    this.#topics.set(topic, { ...known, partitions });
    return true;
  }

  #applyTopic(topic: TopicDescription, metadataOffset: Offset, updatedMs: MonotonicMs): boolean {
    const known = this.#topics.get(topic.name);
    const same = known?.topicId === topic.topicId;
    if (known !== undefined && !same && metadataOffset < known.metadataOffset) return false;
    let moved = !same || topic.partitions.length !== known.partitions.length;
    const partitions: PartitionLeader[] = [];
    for (const { partition, leaderId, leaderEpoch } of topic.partitions) {
      const before = same ? known.partitions[partition] : undefined;
      const stale = before !== undefined && before.leaderEpoch > leaderEpoch;
      const now = stale ? before : { leaderId, leaderEpoch };
      if (before === undefined || before.leaderId !== now.leaderId || before.leaderEpoch !== now.leaderEpoch)
        moved = true;
      partitions[partition] = now;
    }
    this.#topics.set(topic.name, { topicId: topic.topicId, partitions, metadataOffset, updatedMs });
    return moved;
  }
}

function isGone(topic: TopicDescription): boolean {
  return topic.error === 'UNKNOWN_TOPIC_OR_PARTITION' || topic.error === 'UNKNOWN_TOPIC_ID';
}
