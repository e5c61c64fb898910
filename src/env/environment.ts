import type { Random } from '../base/index.ts';
import type { Clock, Timers } from './clock.ts';
import type { Exit } from './exit.ts';
import type { Files } from './files.ts';
import type { KeyValueStores } from './key-value-store.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

/** Everything outside of one node, but the network (see rpc/api). One per node, also when many share a process. */
export interface Environment {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly files: Files;
  readonly stores: KeyValueStores;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly exit: Exit;
}
