/**
 * Six real processes that a nemesis may kill, stop and start. Each writes what it has to say into a file of its own; a node
 * that ends without having been told to is a finding, unless somebody gave it reason to and excused it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { NodeId } from '../../src/base/index.ts';
import { nodeFile } from '../../src/cli/dev/dev-plan.ts';
import type { ClusterPlan, NodePlan } from '../../src/server/index.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const FAILURE_POINTS = new URL('../failpoints/register.ts', import.meta.url).href;

export interface Footprint {
  readonly rssMb: number;
  readonly files: number;
  readonly sockets: number;
}

/** How the process of a node is started. */
export interface Launch {
  /** A command that runs the rest. */
  readonly prefix: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** For Node itself. */
  readonly nodeArguments: readonly string[];
}

export interface NodesOptions {
  readonly plan: ClusterPlan;
  readonly launchOf: (node: NodePlan) => Launch;
  /** Its process is gone. */
  readonly onEnd: (node: NodePlan) => void;
}

/** What a node may end with when its disk is broken: see docs/errors.md; 1 when it was about to start. */
const STORAGE_STATUSES: readonly (number | null)[] = [1, 74, 75];

/** Bytes of a log, half-open. */
export interface LogRange {
  readonly from: number;
  to: number;
}

export class Nodes {
  readonly plan: ClusterPlan;
  readonly #options: NodesOptions;
  readonly #excused = new Map<NodeId, LogRange[]>();
  readonly #excusedNow = new Set<NodeId>();
  /** Nodes that ended because their disk failed, and may. */
  storageExits = 0;
  /** Ends that nobody asked for. */
  readonly surprises: string[] = [];
  readonly #children = new Map<NodeId, ChildProcess>();
  readonly #expected = new WeakSet<ChildProcess>();
  /** That are to kill themselves. */
  readonly #doomed = new WeakSet<ChildProcess>();
  readonly #ready = new Set<NodeId>();
  readonly #paused = new Set<NodeId>();

  constructor(options: NodesOptions) {
    this.#options = options;
    this.plan = options.plan;
  }

  get brokers(): readonly NodePlan[] {
    return this.plan.nodes.filter(({ role }) => role === 'broker');
  }

  get controllers(): readonly NodePlan[] {
    return this.plan.nodes.filter(({ role }) => role === 'controller');
  }

  isUp(id: NodeId): boolean {
    return this.#children.has(id) && !this.#paused.has(id);
  }

  isRunning(id: NodeId): boolean {
    return this.#children.has(id);
  }

  isReady(id: NodeId): boolean {
    return this.#ready.has(id);
  }

  get allUp(): boolean {
    return this.plan.nodes.every(({ id }) => this.isUp(id) && this.isReady(id));
  }

  /** With `failurePoints`, `<name>:kill@<n>,…`, it kills itself at one of them; see test/failpoints/register.ts. */
  start(node: NodePlan, failurePoints?: string): void {
    if (this.#children.has(node.id)) return;
    const log = openSync(this.logOf(node), 'a');
    const { prefix, environment, nodeArguments } = this.#options.launchOf(node);
    const server = [MAIN, 'server', '--config', nodeFile(node.directory)];
    const line = [
      ...prefix,
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      ...nodeArguments,
      ...(failurePoints === undefined ? [] : ['--import', FAILURE_POINTS]),
      ...server,
    ];
    const [command = '', ...words] = line;
    const child = spawn(command, words, {
      stdio: ['ignore', 'ignore', log, 'ipc'],
      env: {
        ...process.env,
        ...environment,
        ...(failurePoints === undefined ? {} : { FAILPOINT: failurePoints }),
      },
    });
    if (failurePoints !== undefined) this.#doomed.add(child);
    closeSync(log);
    this.#children.set(node.id, child);
    child.once('message', () => this.#ready.add(node.id));
    child.once('exit', (code, signal) => {
      this.#children.delete(node.id);
      this.#ready.delete(node.id);
      this.#paused.delete(node.id);
      this.#options.onEnd(node);
      if (this.#excusedNow.has(node.id) && STORAGE_STATUSES.includes(code)) this.storageExits++;
      else if (signal === 'SIGKILL' && this.#doomed.has(child)) return;
      else if (!this.#expected.has(child))
        this.surprises.push(`${node.name} ended: ${signal ?? `status ${code}`}`);
      else if (code !== null && code !== 0)
        this.surprises.push(`${node.name}, asked to stop, ended with ${code}`);
    });
  }

  /** Resolves when the process is gone; one that was stopped goes on first, so that it can be told. */
  end(id: NodeId, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#children.get(id);
    if (child === undefined) return Promise.resolve();
    // A second SIGTERM would ask it not to wait.
    const isAsked = signal === 'SIGTERM' && this.#expected.has(child);
    this.#expected.add(child);
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.resume(id);
    if (!isAsked) child.kill(signal);
    return ended;
  }

  pause(id: NodeId): void {
    if (this.#children.get(id)?.kill('SIGSTOP')) this.#paused.add(id);
  }

  resume(id: NodeId): void {
    if (this.#paused.delete(id)) this.#children.get(id)?.kill('SIGCONT');
  }

  /** From now on its errors and an end for reasons of storage are no findings. */
  excuse(id: NodeId): void {
    this.#excusedNow.add(id);
    const ranges = this.#excused.get(id) ?? [];
    ranges.push({ from: this.#logBytes(id), to: Number.POSITIVE_INFINITY });
    this.#excused.set(id, ranges);
  }

  isExcused(id: NodeId): boolean {
    return this.#excusedNow.has(id);
  }

  excuseNoMore(id: NodeId): void {
    this.#excusedNow.delete(id);
    const last = this.#excused.get(id)?.at(-1);
    if (last !== undefined) last.to = this.#logBytes(id);
  }

  excusesOf(id: NodeId): readonly LogRange[] {
    return this.#excused.get(id) ?? [];
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.plan.nodes.map(({ id }) => this.end(id, 'SIGKILL')));
  }

  /** The failure points at which it died, in order. */
  deathsOf(node: NodePlan): string[] {
    const text = readFileSync(this.logOf(node), 'latin1');
    return [...text.matchAll(/"failurePoint":"([^"]+)"/g)].map(([, point]) => `${point}`);
  }

  logOf(node: NodePlan): string {
    return `${this.plan.directory}/${node.name}.log`;
  }

  #logBytes(id: NodeId): number {
    const path = this.plan.nodes.filter((node) => node.id === id).map((node) => this.logOf(node))[0];
    return path !== undefined && existsSync(path) ? statSync(path).size : 0;
  }

  /** Of Linux' /proc; undefined elsewhere, and for what does not run. */
  footprint(id: NodeId): Footprint | undefined {
    const pid = this.#children.get(id)?.pid;
    if (pid === undefined) return undefined;
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
      const rssMb = Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
      return {
        rssMb,
        files: targets.length,
        sockets: targets.filter((to) => to.startsWith('socket:')).length,
      };
    } catch {
      return undefined;
    }
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
