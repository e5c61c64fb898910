/**
 * When losing something is no anomaly.
 *
 * An acknowledged record is on at least min.insync.replicas replicas. When so many replicas of a partition have lost what was
 * not on their disks, the record may be gone, and its offset be given to another one. Nobody can see from outside when: old
 * and new records may be seen side by side until all is healed. So from such a failure on the partition is observed into a
 * second log that demands nothing, and from the mark 'final' into a third one, strict again: losing is forgiven, replicas
 * that still differ at the end are not.
 *
 * With its records a leader may forget a producer, and takes the first batch of it that comes then: what was in flight together
 * when it forgot may change places.
 *
 * Source: KIP-360 (producers that are forgotten), KIP-966 (what an in-sync set guarantees), KIP-101 (divergence).
 */
import type { NodeId, PartitionId } from '../../base/index.ts';
import type { Case, Loss, PartitionCase } from './case.ts';
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
  /** Those of each time before. */
  readonly #healed: (readonly Failure[])[] = [];

  constructor(judged: Case) {
    this.#case = judged;
    judged.lossOf = (id, demands) => this.#lossOf(id, demands);
  }

  handleFault({ fault, nodes, lossy }: Fault, index: number): void {
    this.#case.count('faults');
    this.#case.count(`fault:${fault}`);
    if (lossy === undefined || lossy === false) return;
    this.#case.count('lossy-faults');
    for (const node of nodes ?? [undefined])
      this.#failures.push({ node, isOfUnsynced: lossy === 'unsynced' });
    for (const partition of this.#case.partitions())
      if (partition.log.isStrict && isExceeded(this.#failures, partition.id, partition.topic.demands))
        this.#doubt(partition, index);
  }

  handleMark({ mark }: Mark, index: number): void {
    if (this.#failures.length > 0) this.#healed.push(this.#failures);
    this.#failures = [];
    if (mark !== 'final') return;
    this.#case.finalAt = index;
    for (const partition of this.#case.partitions())
      if (!partition.log.isStrict) partition.logs.push(new PartitionLog(true));
  }

  #lossOf(id: PartitionId, demands: TopicDemands): Loss {
    if (isExceeded(this.#failures, id, demands)) return 'open';
    return this.#healed.some((failures) => isExceeded(failures, id, demands)) ? 'healed' : 'none';
  }

  #doubt(partition: PartitionCase, index: number): void {
    const log = new PartitionLog(false);
    partition.doubtedAt = index;
    partition.log.successor = log;
    partition.logs.push(log);
    this.#case.count('doubted-partitions');
  }
}

/** Without names of nodes, or of replicas, a failure counts for every partition. */
function isExceeded(failures: readonly Failure[], id: PartitionId, demands: TopicDemands): boolean {
  const { minInsyncReplicas = 1, replicas, losesUnsynced = false } = demands;
  const mine = replicas?.[id];
  const hits = failures.filter(
    ({ node, isOfUnsynced }) =>
      (losesUnsynced || !isOfUnsynced) && (node === undefined || mine?.includes(node) !== false),
  );
  return hits.length >= minInsyncReplicas;
}
