/**
 * Where a command finds its cluster: `--bootstrap`, then QUORATE_BOOTSTRAP, then the `cluster.json` that `quorate dev`
 * keeps in its data directory (`.quorate` here or in a parent directory).
 */
import { dirname, resolve } from 'node:path';
import { cwd, env } from 'node:process';
import { StartupError } from '../base/index.ts';
import { nodeFiles } from '../env/node/index.ts';
import { readClusterFile } from './cluster-file.ts';

export const DEFAULT_DATA_DIRECTORY = '.quorate';

export interface ConnectOptions {
  readonly bootstrap?: string;
}

export async function findBootstrap(options: ConnectOptions): Promise<string> {
  const given = options.bootstrap ?? env.QUORATE_BOOTSTRAP;
  if (given !== undefined && given !== '') return given;
  for (let directory = resolve(cwd()); ; directory = dirname(directory)) {
    const data = resolve(directory, env.QUORATE_DATA_DIR ?? DEFAULT_DATA_DIRECTORY);
    const cluster = await readClusterFile(nodeFiles(), data);
    if (cluster !== undefined) return cluster.bootstrap;
    if (directory === dirname(directory)) break;
  }
  throw new StartupError(
    'no cluster to talk to: start one with "quorate dev", or name one with --bootstrap host:port',
  );
}
