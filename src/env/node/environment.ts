import type { Environment } from '../environment.ts';
import type { Exit } from '../exit.ts';
import type { KeyValueStores } from '../key-value-store.ts';
import type { Logger } from '../logger.ts';
import { type Metrics, NO_METRICS } from '../metrics.ts';
import { nodeClock, nodeTimers } from './clock.ts';
import { processExit } from './exit.ts';
import { nodeFiles } from './files.ts';
import { nodeRandom } from './random.ts';

export interface NodeEnvironmentOptions {
  /** From raft/store (`levelStores()`): LevelDB belongs there. */
  readonly stores: KeyValueStores;
  readonly logger: Logger;
  /** None: a fatal error ends the process. */
  readonly exit?: Exit;
  /** None: nothing is counted. */
  readonly metrics?: Metrics;
}

/** The real world for one node. */
export function createNodeEnvironment(options: NodeEnvironmentOptions): Environment {
  return {
    clock: nodeClock(),
    timers: nodeTimers(),
    random: nodeRandom(),
    files: nodeFiles(),
    stores: options.stores,
    logger: options.logger,
    metrics: options.metrics ?? NO_METRICS,
    exit: options.exit ?? processExit(options.logger),
  };
}
