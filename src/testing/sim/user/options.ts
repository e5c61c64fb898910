/** What a simulation of user code may be told; the seed draws the rest. */

import type { FaultKind } from '../cluster/faults/index.ts';
import { type ClusterSimOptions, drawOptions } from '../cluster/options.ts';

export interface SimulatedTopic {
  readonly name: string;
  /** Default 1. */
  readonly partitions?: number;
  /** Default 3, or as many as there are brokers. */
  readonly replicationFactor?: number;
  /** Kafka's topic keys. Default: 'min.insync.replicas' is 2, or as many as there are replicas. */
  readonly configs?: Readonly<Record<string, string>>;
}

export interface SimulateOptions {
  /** Default 3. */
  readonly controllers?: number;
  /** Default 3. */
  readonly brokers?: number;
  /** Made before your code runs. Default: none. */
  readonly topics?: readonly SimulatedTopic[];
  /** Configuration of every node, by Kafka's keys, over what the seed draws. */
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * Mean virtual milliseconds between two faults of a kind; a kind that is absent never happens, and `{}` is peace.
   * Default: the seed draws kinds and means.
   */
  readonly faults?: Readonly<Partial<Record<FaultKind, number>>>;
  /** Everything is healed after so many virtual milliseconds, if not before by `world.heal()`. Default 60000. */
  readonly faultsMs?: number;
  /** Mean virtual milliseconds between two crashes of a process of yours, while faults last. Default 10000; Infinity: none. */
  readonly crashMeanMs?: number;
  /** Your function ends within so many virtual milliseconds. Default 600000. */
  readonly limitMs?: number;
}

export const FAULTS_MS_DEFAULT = 60_000;
export const CRASH_MEAN_MS_DEFAULT = 10_000;
export const LIMIT_MS_DEFAULT = 600_000;

export function toSimOptions(seed: number, options: SimulateOptions): ClusterSimOptions {
  const { controllers = 3, brokers = 3, topics = [], settings = {}, faults, faultsMs } = options;
  const { compacted: _, ...drawn } = drawOptions(seed);
  return {
    ...drawn,
    controllers,
    brokers,
    producers: 0,
    readers: 0,
    topics: topics.map((topic) => {
      const replicationFactor = Math.min(topic.replicationFactor ?? 3, brokers);
      const minIsr = String(Math.min(2, replicationFactor));
      return {
        name: topic.name,
        partitions: topic.partitions ?? 1,
        replicationFactor,
        configs: { 'min.insync.replicas': minIsr, ...topic.configs },
      };
    }),
    settings: { ...drawn.settings, ...settings },
    faults: faults ?? drawn.faults,
    faultsMs: faultsMs ?? FAULTS_MS_DEFAULT,
  };
}
