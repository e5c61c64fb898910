/** One simulation: everything a seed draws, printed when it fails. */
import type { Random } from '../../../base/index.ts';
import { DEFAULT_QUORUM_TIMEOUTS, type QuorumTimeouts, scaleQuorumTimeouts } from '../../../raft/index.ts';

export interface SimOptions {
  readonly seed: number;
  readonly voters: number;
  readonly observers: number;
  /** False: the quorum has to establish itself. */
  readonly formatted: boolean;
  readonly timeouts: QuorumTimeouts;
  readonly faultsMs: number;
  /** Mean time between two workload bursts. */
  readonly workloadMs: number;
  readonly delayMinMs: number;
  readonly delayMeanMs: number;
  readonly loss: number;
  readonly duplication: number;
  readonly syncMeanMs: number;
  readonly syncFailure: number;
  /** Mean times between faults of a kind; Infinity: never. */
  readonly crashMs: number;
  readonly pauseMs: number;
  readonly partitionMs: number;
  readonly slowDiskMs: number;
  readonly resignMs: number;
  readonly wipeMs: number;
  /** Probability that a voter dies right after its vote has left. */
  readonly voteCrash: number;
  /** Entries kept in memory: small, so that reads from the store happen. */
  readonly tailEntries: number;
}

/** Each family of faults is off with probability one half, so that rare combinations are not drowned. */
export function drawOptions(seed: number, random: Random): SimOptions {
  const either = (on: () => number, off: number): number => (random.float() < 0.5 ? on() : off);
  const spread = (min: number, max: number): number => min * (max / min) ** random.float();
  const never = Number.POSITIVE_INFINITY;
  return {
    seed,
    voters: [1, 3, 3, 3, 3, 3, 3, 5, 5, 5][random.integer(0, 10)] ?? 3,
    observers: random.integer(0, 3),
    formatted: random.float() < 0.6,
    timeouts: scaleQuorumTimeouts(DEFAULT_QUORUM_TIMEOUTS, random.float() < 0.5 ? 1 : spread(0.3, 2)),
    faultsMs: spread(30_000, 180_000),
    workloadMs: spread(100, 2000),
    delayMinMs: spread(0.1, 3),
    delayMeanMs: spread(0.5, 30),
    loss: either(() => spread(0.001, 0.2), 0),
    duplication: either(() => spread(0.001, 0.3), 0),
    syncMeanMs: spread(0.2, 20),
    syncFailure: either(() => spread(0.0003, 0.01), 0),
    crashMs: either(() => spread(1500, 30_000), never),
    pauseMs: either(() => spread(3000, 30_000), never),
    partitionMs: either(() => spread(3000, 30_000), never),
    slowDiskMs: either(() => spread(5000, 30_000), never),
    resignMs: either(() => spread(5000, 60_000), never),
    wipeMs: random.float() < 0.15 ? spread(20_000, 100_000) : never,
    voteCrash: either(() => spread(0.02, 0.3), 0),
    tailEntries: Math.round(spread(4, 2000)),
  };
}
