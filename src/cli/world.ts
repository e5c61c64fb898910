/** The real world of nodes that this process runs. */
import { type Exit, type Logger, type Metrics, NO_METRICS } from '../env/index.ts';
import { createNodeEnvironment, createPinoLogger, type LogLevel, processExit } from '../env/node/index.ts';
import { levelStores } from '../raft/index.ts';
import { createGrpcTransport } from '../rpc/grpc/index.ts';
import type { NodeWorld } from '../server/index.ts';

export interface WorldOptions {
  readonly logLevel: string;
  /** A file; absent: standard error. */
  readonly logFile?: string;
  /** Absent: what is fatal ends the process. */
  readonly exit?: (logger: Logger) => Exit;
  /** Absent: nothing is counted. */
  readonly metrics?: Metrics;
}

const STANDARD_ERROR = 2;

export function realWorld(options: WorldOptions): NodeWorld {
  const { logLevel, logFile, exit = processExit, metrics = NO_METRICS } = options;
  const logger = createPinoLogger({ level: logLevel as LogLevel, destination: logFile ?? STANDARD_ERROR });
  return {
    environment: createNodeEnvironment({ stores: levelStores(), logger, metrics, exit: exit(logger) }),
    transport: createGrpcTransport({ logger, metrics }),
  };
}
