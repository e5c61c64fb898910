import type { NodeId } from '../../base/index.ts';
import { LeaderFetcher, type LeaderFetcherOptions } from './leader-fetcher.ts';
import type { Partition } from './partition.ts';

/** One fetcher for each broker that leads something this broker follows; made at need, closed when idle. */
export class LeaderFetchers {
  readonly #options: Omit<LeaderFetcherOptions, 'leaderId'>;
  readonly #byLeader = new Map<NodeId, LeaderFetcher>();
  readonly #byPartition = new Map<Partition, LeaderFetcher>();

  constructor(options: Omit<LeaderFetcherOptions, 'leaderId'>) {
    this.#options = options;
  }

  get count(): number {
    return this.#byLeader.size;
  }

  /** Fetches from the leader that the partition's state names; from nowhere when there is none. */
  follow(partition: Partition): void {
    this.unfollow(partition);
    const { leaderId } = partition.state;
    if (leaderId < 0) return;
    let fetcher = this.#byLeader.get(leaderId);
    if (fetcher === undefined) {
      fetcher = new LeaderFetcher({ ...this.#options, leaderId });
      this.#byLeader.set(leaderId, fetcher);
    }
    this.#byPartition.set(partition, fetcher);
    fetcher.add(partition);
  }

  unfollow(partition: Partition): void {
    this.#byPartition.get(partition)?.remove(partition);
    this.#byPartition.delete(partition);
  }

  noteFlushed(partition: Partition): void {
    this.#byPartition.get(partition)?.noteFlushed(partition);
  }

  closeIdle(): void {
    for (const [leaderId, fetcher] of this.#byLeader) {
      if (fetcher.partitionCount > 0) continue;
      fetcher.close();
      this.#byLeader.delete(leaderId);
    }
  }

  close(): void {
    for (const fetcher of this.#byLeader.values()) fetcher.close();
    this.#byLeader.clear();
    this.#byPartition.clear();
  }
}
