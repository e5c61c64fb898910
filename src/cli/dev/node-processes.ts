/** The nodes of a plan as processes of their own. They end when this process does, by whatever signal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { flushCompileCache } from 'node:module';
import process from 'node:process';
import { type NodeId, StartupError } from '../../base/index.ts';
import type { ClusterPlan, NodePlan } from '../../server/index.ts';
import { nodeFile } from './dev-plan.ts';

/** A node has ended unasked. */
export type OnExit = (node: NodePlan, how: string) => void;

const KILL_AFTER_MS = 1800;
const LAST_WORDS_BYTES_MAX = 8192;

export class NodeProcesses {
  readonly #plan: ClusterPlan;
  readonly #onExit: OnExit;
  readonly #children = new Map<NodeId, ChildProcess>();
  #stopping = false;

  constructor(plan: ClusterPlan, onExit: OnExit) {
    this.#plan = plan;
    this.#onExit = onExit;
  }

  async start(): Promise<void> {
    // What this process has compiled the children need not compile again.
    flushCompileCache();
    await Promise.all(this.#plan.nodes.map((node) => this.startNode(node)));
  }

  /** Resolves when the node is ready; rejects with its last words when it ends before. */
  startNode(node: NodePlan): Promise<void> {
    const main = process.argv[1] ?? '';
    const child = spawn(
      process.execPath,
      [...process.execArgv, main, 'server', '--config', nodeFile(node.directory)],
      {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      },
    );
    this.#children.set(node.id, child);
    return new Promise((resolve, reject) => {
      let ready = false;
      let lastWords = '';
      child.stderr?.on('data', (text: Buffer) => {
        if (ready) process.stderr.write(text);
        else lastWords = (lastWords + text.toString()).slice(-LAST_WORDS_BYTES_MAX);
      });
      child.once('message', () => {
        ready = true;
        process.stderr.write(lastWords);
        resolve();
      });
      child.once('exit', (code, signal) => {
        if (this.#children.get(node.id) === child) this.#children.delete(node.id);
        if (!ready)
          reject(new StartupError(`${node.name} did not start: ${lastWords.trim().replace(/^error: /, '')}`));
        else if (!this.#stopping) this.#onExit(node, signal ?? `status ${code}`);
      });
    });
  }

  pidOf(id: NodeId): number {
    return this.#children.get(id)?.pid ?? 0;
  }

  /** At once and without a chance to say anything. */
  kill(id: NodeId): Promise<void> {
    const child = this.#children.get(id);
    if (child === undefined) return Promise.resolve();
    const ended = endOf(child);
    child.kill('SIGKILL');
    return ended;
  }

  /** Brokers first, so that they can take leave of the controllers; what does not end in time is killed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const late = setTimeout(() => {
      for (const child of this.#children.values()) child.kill('SIGKILL');
    }, KILL_AFTER_MS);
    for (const role of ['broker', 'controller']) {
      const children = this.#plan.nodes
        .filter((node) => node.role === role)
        .map((node) => this.#children.get(node.id))
        .filter((child) => child !== undefined);
      await Promise.all(
        children.map((child) => {
          const ended = endOf(child);
          child.kill('SIGTERM');
          return ended;
        }),
      );
    }
    clearTimeout(late);
  }
}

function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
