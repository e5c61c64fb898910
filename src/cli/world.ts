/** The real world of nodes that this process runs. */
import type { Exit, Logger } from '../env/index.ts';
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
}

const STANDARD_ERROR = 2;

export function realWorld({ logLevel, logFile, exit = processExit }: WorldOptions): NodeWorld {
  const logger = createPinoLogger({ level: logLevel as LogLevel, destination: logFile ?? STANDARD_ERROR });
  return {
    environment: createNodeEnvironment({ stores: levelStores(), logger, exit: exit(logger) }),
    transport: createGrpcTransport({ logger }),
  };
}
