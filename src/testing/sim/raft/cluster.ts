/** Nodes, network and workload of one run, with the checker looking on. */
import { type NodeId, SeededRandom } from '../../../base/index.ts';
import { type Logger, SILENT } from '../../../env/index.ts';
import type { QuorumAnswer, QuorumRequest } from '../../../raft/core/index.ts';
import type { QuorumCalls, QuorumListener } from '../../../raft/node/index.ts';
import { Scheduler } from '../../twins/index.ts';
import type { Trace } from '../trace.ts';
import { Checker, fail } from './checker.ts';
import { SimDisk } from './disk.ts';
import { SimNetwork } from './network.ts';
import { SimNode } from './node.ts';
import type { SimOptions } from './options.ts';

const KINDS = { vote: 1, 'begin-epoch': 2, 'end-epoch': 3, fetch: 4 } as const;

export class SimCluster {
  readonly options: SimOptions;
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly network: SimNetwork;
  readonly nodes: SimNode[] = [];
  readonly checker: Checker;
  /** Entries handed to each node's state machine. */
  readonly delivered = new Map<NodeId, number>();
  readonly #touched = new Set<SimNode>();
  readonly #random: SeededRandom;
  readonly #logger: (node: SimNode) => Logger;
  #payload = 0;
  failure: unknown;
  /** A real vote was granted by `node` and is on its way. */
  onVoted: (node: SimNode) => void = () => {};

  constructor(options: SimOptions, trace: Trace, logger: (node: SimNode) => Logger = () => SILENT) {
    const { seed } = options;
    this.options = options;
    this.trace = trace;
    this.#logger = logger;
    this.scheduler = new Scheduler({ random: new SeededRandom(seed, 'schedule') });
    this.network = new SimNetwork(this.scheduler, new SeededRandom(seed, 'network'), options, trace);
    this.#random = new SeededRandom(seed, 'workload');
    this.checker = new Checker(this.nodes);
    for (let id = 1; id <= options.voters + options.observers; id++) this.#addNode(id);
    if (options.formatted) this.#format();
  }

  get voters(): readonly SimNode[] {
    return this.nodes.slice(0, this.options.voters);
  }

  /** The node that leads and was elected last; undefined when none leads. */
  findLeader(): SimNode | undefined {
    let leader: SimNode | undefined;
    for (const node of this.nodes) {
      const core = node.process?.driver.core;
      if (core?.role !== 'leader') continue;
      if (core.epoch > (leader?.process?.driver.core?.epoch ?? -1)) leader = node;
    }
    return leader;
  }

  /** Runs events until `until` holds or `limitMs` have passed; checks every law after each. True when it held. */
  run(until: () => boolean, limitMs: number): boolean {
    const endMs = this.scheduler.nowMs + limitMs;
    let isOver = false;
    this.scheduler.after(limitMs, () => {
      isOver = true;
    });
    while (!isOver && this.scheduler.nowMs <= endMs) {
      if (until()) return true;
      if (!this.scheduler.step()) return until();
      for (const node of this.#touched) this.checker.check(node);
      this.#touched.clear();
      if (this.failure !== undefined) throw this.failure;
    }
    return until();
  }

  /** Appends `count` entries, each different from all others, at `node` if it leads. */
  append(node: SimNode, count: number): void {
    const driver = node.process?.driver;
    if (driver?.core === undefined || node.process?.isPaused) return;
    for (let i = 0; i < count; i++) {
      const payload = Buffer.alloc(8);
      payload.writeUInt32BE(++this.#payload, 0);
      const { kind } = driver.append(driver.core.epoch, payload);
      if (kind === 'appended') this.trace.count('entries appended');
    }
    this.#touched.add(node);
  }

  startWorkload(): void {
    const next = (): void => {
      const node = this.nodes[this.#random.integer(0, this.options.voters)];
      const leader = this.#random.float() < 0.2 ? node : this.findLeader();
      if (leader !== undefined) this.append(leader, 1 + Math.floor(this.#random.float() ** 4 * 12));
      this.scheduler.after(-Math.log(1 - this.#random.float()) * this.options.workloadMs, next);
    };
    next();
  }

  touch(node: SimNode): void {
    this.#touched.add(node);
  }

  #format(): void {
    const voters = this.voters.map(({ key }) => key);
    for (const { disk } of this.voters)
      disk.hardState = { epoch: 0, leaderId: -1, voters, clusterId: 'formatted' };
  }

  #addNode(id: NodeId): void {
    const { options, scheduler } = this;
    const random = new SeededRandom(options.seed, `node${id}`);
    const { syncMeanMs, syncFailure } = options;
    const behaviour = { syncMeanMs, syncFailure, slowUntilMs: 0 };
    const hooks = {
      onAppend: (...args: [Parameters<Checker['handleAppend']>[1], number | undefined]) => {
        if (args[1] !== undefined) this.trace.count('truncations');
        this.checker.handleAppend(node, ...args);
      },
      onDurable: () => this.touch(node),
    };
    const disk = new SimDisk(scheduler, new SeededRandom(options.seed, `disk${id}`), behaviour, hooks);
    const identity = { id, seeksVote: id <= options.voters, directoryId: `dir-${id}` };
    const node: SimNode = new SimNode(identity, {
      scheduler,
      random,
      options,
      disk,
      calls: this.#calls(id),
      hooks: {
        listener: (owner, incarnation) => this.#listener(owner, incarnation),
        onFatal: (owner, reason, error) => this.#handleFatal(owner, reason, error),
        logger: this.#logger,
      },
    });
    this.nodes.push(node);
    this.network.attach(id, {
      get isUp() {
        return node.isUp;
      },
      run: (task) => {
        this.touch(node);
        node.run(() => {
          this.touch(node);
          task();
        });
      },
    });
  }

  #calls(from: NodeId): QuorumCalls {
    return {
      call: (to, message, timeoutMs, done) => {
        const sender = this.#node(from);
        this.touch(sender);
        this.#note(from, to, message);
        this.checker.handleRequest(sender, message);
        this.network.call(from, to, timeoutMs, (_, answer) => this.#serve(to, message, answer), done);
      },
      identify: (to, request, timeoutMs, done) => {
        this.network.call(
          from,
          to,
          timeoutMs,
          (_, answer) => answer(this.#node(to).process?.driver.handleIdentify(request)),
          done,
        );
      },
    };
  }

  #serve(to: NodeId, message: QuorumRequest, answer: (result: QuorumAnswer | undefined) => void): void {
    const node = this.#node(to);
    this.touch(node);
    node.process?.driver.handle(message, (result) => {
      if (result !== undefined) {
        this.#noteAnswer(to, result);
        this.checker.handleAnswer(node, message, result);
      }
      answer(result);
      const isVote = message.kind === 'vote' && !message.request.preVote;
      if (isVote && result?.kind === 'vote' && result.reply.voteGranted) this.onVoted(node);
    });
  }

  #note(from: NodeId, to: NodeId, { kind, request }: QuorumRequest): void {
    const now = this.scheduler.nowMs;
    this.trace.event(now, KINDS[kind], from, to, 0, () => `${from} -> ${to} ${kind} ${brief(request)}`);
    if (kind === 'vote') this.trace.count(request.preVote ? 'pre-votes asked' : 'votes asked');
  }

  #noteAnswer(from: NodeId, { kind, reply }: QuorumAnswer): void {
    const now = this.scheduler.nowMs;
    this.trace.event(
      now,
      10 + KINDS[kind],
      from,
      reply.leaderEpoch,
      0,
      () => `${from} = ${kind} ${brief(reply)}`,
    );
    if (kind !== 'fetch') return;
    if (reply.divergingEpoch !== undefined) this.trace.count('divergences');
    if (reply.error === 'NOT_LEADER_OR_FOLLOWER') this.trace.count('fetches refused');
    if (reply.entries.length > 1) this.trace.count('batches of entries');
  }

  #listener(node: SimNode, incarnation: number): QuorumListener {
    let nextOffset = 0;
    this.delivered.set(node.id, 0);
    const isCurrent = (): boolean => node.process?.incarnation === incarnation;
    return {
      handleCommit: (entries) => {
        if (!isCurrent()) fail('a dead process is handed entries', { node: node.id });
        // What is handed over may have been committed in this very event.
        this.checker.check(node);
        this.checker.handleDelivery(node, nextOffset, entries);
        nextOffset += entries.length;
        this.delivered.set(node.id, nextOffset);
      },
      handleLeaderChange: ({ epoch, leaderId }) => {
        const now = this.scheduler.nowMs;
        this.trace.event(
          now,
          20,
          node.id,
          epoch,
          leaderId,
          () => `${node.id} sees leader ${leaderId} of ${epoch}`,
        );
        if (leaderId === node.id) this.trace.count('elections won');
        this.touch(node);
      },
      handleLeading: (epoch) => {
        this.trace.count('leaderships begun');
        this.checker.handleLeading(node, nextOffset, epoch);
      },
      handleNotLeading: () => this.trace.count('leaderships ended'),
    };
  }

  #handleFatal(node: SimNode, reason: string, error: unknown): void {
    if (reason === 'sync-failed') {
      this.trace.count('syncs failed');
      const { process } = node;
      this.scheduler.after(0, () => {
        if (node.process !== process) return;
        node.kill(false);
        this.scheduler.after(500, () => node.start());
      });
      return;
    }
    this.failure ??= error;
  }

  #node(id: NodeId): SimNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new RangeError(`no node ${id}`);
    return node;
  }
}

function brief(message: object): string {
  const hidden = new Set(['clusterId', 'leaderEndpoint', 'maxBytes', 'maxWaitMs', 'logStartOffset']);
  return JSON.stringify(message, (key, value: unknown) => {
    if (hidden.has(key)) return undefined;
    if (key === 'entries' && Array.isArray(value))
      return value.map(({ offset, epoch }) => `${offset}@${epoch}`);
    return value;
  });
}
