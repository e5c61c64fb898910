/**
 * When losing something is no anomaly.
 *
 * An acknowledged record is on at least min.insync.replicas replicas. When so many replicas of a partition have lost what was
 * not on their disks, the record may be gone, and its offset be given to another one. Nobody can see from outside when: old
 * and new records may be seen side by side until all is healed. So from such a failure on the partition is observed into a
 * second log that demands nothing, and from the mark 'final' into a third one, strict again: losing is forgiven, replicas
 * that still differ at the end are not.
 *
 * Source: KIP-966 (what an in-sync set guarantees), KIP-101 (divergence).
 */
import type { NodeId, PartitionId } from '../../base/index.ts';
import type { Case, PartitionCase } from './case.ts';
import type { Fault, Mark } from './history.ts';
import { PartitionLog } from './partition-log.ts';
import type { TopicDemands } from './verdict.ts';

interface Failure {
  /** Undefined: any. */
  readonly node: NodeId | undefined;
  /** It took nothing that was durable. */
  readonly isOfUnsynced: boolean;
}

export class LossBudget {
  readonly #case: Case;
  /** The lossy ones since everything was whole, one for each node. */
  #failures: Failure[] = [];

  constructor(judged: Case) {
    this.#case = judged;
    judged.isDoubtedFromStart = (id, demands) => this.#isExceeded(id, demands);
  }

  handleFault({ fault, nodes, lossy }: Fault): void {
    this.#case.count('faults');
    this.#case.count(`fault:${fault}`);
    if (lossy === undefined || lossy === false) return;
    this.#case.count('lossy-faults');
    for (const node of nodes ?? [undefined])
      this.#failures.push({ node, isOfUnsynced: lossy === 'unsynced' });
    for (const partition of this.#case.partitions())
      if (partition.log.isStrict && this.#isExceeded(partition.id, partition.topic.demands))
        this.#doubt(partition);
  }

  handleMark({ mark }: Mark, index: number): void {
    this.#failures = [];
    if (mark !== 'final') return;
    this.#case.finalAt = index;
    for (const partition of this.#case.partitions())
      if (!partition.log.isStrict) partition.logs.push(new PartitionLog(true));
  }

  /** Without names of nodes, or of replicas, a failure counts for every partition. */
  #isExceeded(id: PartitionId, demands: TopicDemands): boolean {
    const { minInsyncReplicas = 1, replicas, losesUnsynced = false } = demands;
    const mine = replicas?.[id];
    const hits = this.#failures.filter(
      ({ node, isOfUnsynced }) =>
        (losesUnsynced || !isOfUnsynced) && (node === undefined || mine?.includes(node) !== false),
    );
    return hits.length >= minInsyncReplicas;
  }

  #doubt(partition: PartitionCase): void {
    const log = new PartitionLog(false);
    partition.log.successor = log;
    partition.logs.push(log);
    this.#case.count('doubted-partitions');
  }
}
