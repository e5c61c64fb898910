/**
 * Makes a failing run small: options are taken away or halved as long as the run still breaks the same law. Greedy, so the
 * outcome is minimal in each option by itself, not over all combinations.
 *
 * Source: QuickCheck's shrinking (Claessen and Hughes, 2000); delta debugging (Zeller and Hildebrandt, 2002).
 */
import type { ClusterSimOptions } from './options.ts';

/** The law that a run broke, without its numbers; undefined: none. */
export type Outcome = string | undefined;

export interface Shrunk {
  readonly options: ClusterSimOptions;
  /** Runs that it took. */
  readonly runs: number;
}

/** `run` tells which law options break; those of `options` break `law`. At most `runsMax` runs. */
export async function shrink(
  options: ClusterSimOptions,
  law: string,
  run: (candidate: ClusterSimOptions) => Promise<Outcome>,
  runsMax: number,
): Promise<Shrunk> {
  let smallest = options;
  let runs = 0;
  for (let isSmaller = true; isSmaller && runs < runsMax; ) {
    isSmaller = false;
    for (const candidate of smallerThan(smallest)) {
      if (runs === runsMax) break;
      runs++;
      if ((await run(candidate)) !== law) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
  return { options: smallest, runs };
}

/** The largest steps first. */
function* smallerThan(options: ClusterSimOptions): Iterable<ClusterSimOptions> {
  const { faults, settings, topics, faultsMs } = options;
  if (faultsMs > 2_000) yield { ...options, faultsMs: Math.round(faultsMs / 2) };
  for (const kind of Object.keys(faults)) yield { ...options, faults: without(faults, kind) };
  if (options.compacted !== undefined) yield without(options, 'compacted');
  if (options.directories !== undefined) yield without(options, 'directories');
  if (options.absence !== undefined) yield without(options, 'absence');
  if (options.replacement !== undefined) yield without(options, 'replacement');
  if (options.lagging !== undefined) yield without(options, 'lagging');
  if (options.deposition !== undefined) yield without(options, 'deposition');
  if (options.readerMaxBytes !== undefined) yield without(options, 'readerMaxBytes');
  if (options.returning !== undefined) yield without(options, 'returning');
  if (options.remaking !== undefined) yield without(options, 'remaking');
  if (topics.length > 1)
    for (const topic of topics) yield { ...options, topics: topics.filter((one) => one !== topic) };
  yield* fewer(options, 'brokers', Math.max(...topics.map(({ replicationFactor }) => replicationFactor)));
  yield* fewer(options, 'controllers', 1, 2);
  yield* fewer(options, 'producers', 1);
  yield* fewer(options, 'readers', 1);
  for (const [index, topic] of topics.entries()) {
    const other = (change: object): ClusterSimOptions => ({
      ...options,
      topics: topics.with(index, { ...topic, ...change }),
    });
    if (topic.partitions > 1) yield other({ partitions: 1 });
    if (topic.replicationFactor > 1) yield other({ replicationFactor: topic.replicationFactor - 1 });
  }
  for (const key of Object.keys(settings)) yield { ...options, settings: without(settings, key) };
  if (options.recordsMax > 1) yield { ...options, recordsMax: 1 };
  if (faultsMs > 2_000) yield { ...options, faultsMs: Math.round(faultsMs * 0.9) };
}

function* fewer(
  options: ClusterSimOptions,
  key: 'brokers' | 'controllers' | 'producers' | 'readers',
  min: number,
  step = 1,
): Iterable<ClusterSimOptions> {
  if (options[key] - step >= min) yield { ...options, [key]: options[key] - step };
}

function without<T extends object>(record: T, key: string): T {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key)) as T;
}
