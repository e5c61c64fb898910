/** All failure points. */
import type { FailurePoint, Kin } from '../failure-point.ts';
import { CONTROLLER_POINTS } from './controller.ts';
import { LOG_POINTS } from './log.ts';
import { CUT_POINTS } from './log-cuts.ts';
import { NODE_POINTS } from './node.ts';
import { DRIVER_POINTS, STORE_POINTS } from './quorum.ts';
import { REPLICA_POINTS } from './replica.ts';

export const POINTS: readonly FailurePoint[] = [
  ...STORE_POINTS,
  ...DRIVER_POINTS,
  ...LOG_POINTS,
  ...CUT_POINTS,
  ...REPLICA_POINTS,
  ...NODE_POINTS,
  ...CONTROLLER_POINTS,
];

/** What a node's ports are wrapped in or handed out by. */
export const KINSHIPS: readonly Kin[] = [
  {
    file: 'src/log/segment/bounded-files.ts',
    after: 'this.#files = files;',
    child: 'this',
    of: 'files',
  },
  {
    file: 'src/log/log-state.ts',
    before: 'this.tail = new LogTail(',
    child: 'this.writer',
    of: 'around.files',
  },
  {
    file: 'src/raft/store/hard-state-file.ts',
    after: "const handle = await files.open(path, 'write');",
    child: 'handle',
    of: 'files',
  },
  {
    file: 'src/raft/store/open-quorum-store.ts',
    after: 'const store = await stores.open(log);',
    child: 'store',
    of: 'stores',
  },
  {
    file: 'src/broker/replica/replica-manager.ts',
    after: 'const host = this.#partitionHost();',
    child: 'host',
    of: 'timers',
  },
];
