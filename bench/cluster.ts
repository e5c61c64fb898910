/** A cluster of processes for a measurement: started by the real command, as a user would, and stopped by a signal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterDescription } from '../src/cli/cluster-file.ts';
import { freePorts, makeTemporaryDirectory } from '../src/env/node/index.ts';

export interface BenchCluster extends AsyncDisposable {
  readonly description: ClusterDescription;
  readonly child: ChildProcess;
}

export interface BenchClusterOptions {
  readonly controllers: number;
  readonly brokers: number;
  /** One process per node; else all in one. */
  readonly processes: boolean;
}

const MAIN = join(import.meta.dirname, '../src/cli/main.ts');

export async function startBenchCluster(options: BenchClusterOptions): Promise<BenchCluster> {
  const directory = await makeTemporaryDirectory('quorate-bench-');
  const [port] = await freePorts(1);
  const counts = ['--controllers', `${options.controllers}`, '--brokers', `${options.brokers}`];
  const child = spawn(
    process.execPath,
    [
      MAIN,
      'dev',
      '--json',
      '--data-dir',
      directory,
      '--port',
      `${port}`,
      ...counts,
      ...(options.processes ? ['--processes'] : []),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const description = await firstObject(child);
  return {
    description,
    child,
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function firstObject(child: ChildProcess): Promise<ClusterDescription> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) resolve(JSON.parse(text) as ClusterDescription);
    });
    child.once('exit', (code) => reject(new Error(`the cluster ended with status ${code}`)));
  });
}
