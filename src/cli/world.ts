/** The real world of nodes that this process runs. */
import { createNodeEnvironment, createPinoLogger, type LogLevel } from '../env/node/index.ts';
import { levelStores } from '../raft/index.ts';
import { createGrpcTransport } from '../rpc/grpc/index.ts';
import type { NodeWorld } from '../server/index.ts';

export interface WorldOptions {
  readonly logLevel: string;
  /** A file; absent: standard error. */
  readonly logFile?: string;
}

const STANDARD_ERROR = 2;

export function realWorld({ logLevel, logFile }: WorldOptions): NodeWorld {
  const logger = createPinoLogger({ level: logLevel as LogLevel, destination: logFile ?? STANDARD_ERROR });
  return {
    environment: createNodeEnvironment({ stores: levelStores(), logger }),
    transport: createGrpcTransport({ logger }),
  };
}
