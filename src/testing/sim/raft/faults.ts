/** Breaks things at random while a run's first phase lasts; `heal` ends it all. */
import { type NodeId, type Random, SeededRandom, shuffle } from '../../../base/index.ts';
import { fail } from './checker.ts';
import type { SimCluster } from './cluster.ts';
import type { SimNode } from './node.ts';

export class Faults {
  readonly #cluster: SimCluster;
  readonly #random: Random;
  #isOver = false;
  #wipesLeft: number;

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
    this.#random = new SeededRandom(cluster.options.seed, 'faults');
    // A wiped voter is out for ever: with fewer than a majority left nothing could be committed again.
    this.#wipesLeft = Math.floor((cluster.options.voters - 1) / 2);
  }

  start(): void {
    const { crashMs, pauseMs, partitionMs, slowDiskMs, resignMs, wipeMs } = this.#cluster.options;
    this.#every(crashMs, () => this.#crash());
    this.#every(pauseMs, () => this.#pause());
    this.#every(partitionMs, () => this.#partition());
    this.#every(slowDiskMs, () => this.#slowDisk());
    this.#every(resignMs, () => this.#resign());
    this.#every(wipeMs, () => this.#wipe());
    this.#cluster.onVoted = (node) => this.#maybeCrashVoter(node);
  }

  /** Everything works from now on, every node runs. */
  heal(): void {
    this.#isOver = true;
    const { network, nodes } = this.#cluster;
    network.heal();
    network.isFaulty = false;
    for (const node of nodes) {
      Object.assign(node.disk.behaviour, { syncFailure: 0, slowUntilMs: 0 });
      node.resume();
      node.start();
    }
  }

  #every(meanMs: number, fault: () => void): void {
    if (meanMs === Number.POSITIVE_INFINITY) return;
    const delayMs = -Math.log(1 - this.#random.float()) * meanMs;
    this.#cluster.scheduler.after(delayMs, () => {
      if (this.#isOver) return;
      fault();
      this.#every(meanMs, fault);
    });
  }

  #anyNode(): SimNode {
    const { nodes, findLeader } = this.#cluster;
    const leader = findLeader.call(this.#cluster);
    if (leader !== undefined && this.#random.float() < 0.4) return leader;
    return nodes[this.#random.integer(0, nodes.length)] as SimNode;
  }

  #crash(): void {
    const all = this.#random.float() < 0.1;
    const power = this.#random.float() < 0.5;
    for (const node of all ? this.#cluster.nodes : [this.#anyNode()]) this.#crashNode(node, power);
  }

  #crashNode(node: SimNode, power: boolean): void {
    const { trace, scheduler, network, nodes } = this.#cluster;
    if (!node.isUp) return;
    this.#note(node.id, power ? 'loses power' : 'is killed');
    const lost = node.kill(power);
    trace.count(power ? 'power failures' : 'kills');
    if (lost > 0) trace.count('unsynced tails lost');
    if (!power || this.#random.float() < 0.5) {
      network.reset(node.id);
      for (const other of nodes)
        scheduler.after(1, () => other.run(() => other.process?.driver.peerDisconnected(node.id)));
    }
    const meanMs = this.#random.float() < 0.5 ? 200 : 5000;
    scheduler.after(this.#random.float() * meanMs, () => {
      trace.count('restarts');
      node.start();
    });
  }

  #maybeCrashVoter(node: SimNode): void {
    const { options, trace, scheduler } = this.#cluster;
    if (this.#isOver || this.#random.float() >= options.voteCrash) return;
    scheduler.after(0, () => {
      if (!node.isUp) return;
      this.#note(node.id, 'dies after its vote');
      trace.count('deaths after a vote');
      node.kill(this.#random.float() < 0.5);
      scheduler.after(this.#random.float() * 30, () => node.start());
    });
  }

  #pause(): void {
    const node = this.#anyNode();
    this.#note(node.id, 'is paused');
    this.#cluster.trace.count('pauses');
    node.pause();
    this.#cluster.scheduler.after(this.#random.float() * 8000, () => {
      node.resume();
      this.#cluster.touch(node);
    });
  }

  /** Full, one-way or a bridge: one node sees both sides, the sides do not see each other. */
  #partition(): void {
    const { network, nodes, scheduler, trace } = this.#cluster;
    const ids = shuffle(
      nodes.map(({ id }) => id),
      this.#random,
    );
    const side = ids.slice(0, this.#random.integer(1, ids.length));
    const others = ids.filter((id) => !side.includes(id));
    const kind = ['full', 'one-way', 'bridge'][this.#random.integer(0, 3)];
    const far = kind === 'bridge' ? others.slice(1) : others;
    trace.count(`partitions: ${kind}`);
    this.#note(0, `${kind} partition ${side.join(',')} | ${far.join(',')}`);
    for (const a of side)
      for (const b of far) {
        network.cut(a, b);
        if (kind !== 'one-way') network.cut(b, a);
      }
    if (kind === 'full') this.#expectResignation(side, others);
    scheduler.after(500 + this.#random.float() * 10_000, () => {
      if (this.#isOver) return;
      this.#note(0, 'partition heals');
      network.heal();
    });
  }

  /** A leader cut off from every majority gives up within one and a half fetch timeouts. */
  #expectResignation(...sides: NodeId[][]): void {
    const { options, voters, scheduler, network, trace } = this.#cluster;
    const majority = Math.floor(options.voters / 2) + 1;
    const minority =
      sides.find((side) => voters.filter(({ id }) => side.includes(id)).length < majority) ?? [];
    const leaders = voters.filter(
      (node) => minority.includes(node.id) && node.process?.driver.core?.role === 'leader',
    );
    // Fetches that were under way when the link was cut still count as contact.
    const boundMs = options.timeouts.fetchTimeoutMs * 1.5 * 1.1 + 200 + 60 * options.delayMeanMs;
    for (const node of leaders) {
      const { process } = node;
      const epoch = process?.driver.core?.epoch;
      const wasPaused = process?.isPaused;
      const isOutside = (id: NodeId): boolean => !minority.includes(id);
      const isCutNow = (): boolean =>
        voters.every(
          ({ id }) => !isOutside(id) || (network.isCut(id, node.id) && network.isCut(node.id, id)),
        );
      let stayedCut = true;
      for (let at = 0; at < boundMs; at += 50)
        scheduler.after(at, () => {
          stayedCut &&= isCutNow() && process?.isPaused === false;
        });
      scheduler.after(boundMs, () => {
        if (!stayedCut || wasPaused || node.process !== process) return;
        trace.count('leaders cut off');
        const core = process?.driver.core;
        if (core?.role === 'leader' && core.epoch === epoch)
          fail('a leader without a majority does not resign', { node: node.id, epoch });
      });
    }
  }

  #slowDisk(): void {
    const node = this.#anyNode();
    this.#note(node.id, 'has a slow disk');
    this.#cluster.trace.count('slow disks');
    node.disk.behaviour.slowUntilMs = this.#cluster.scheduler.nowMs + this.#random.float() * 5000;
  }

  #resign(): void {
    const leader = this.#cluster.findLeader();
    const epoch = leader?.process?.driver.core?.epoch;
    if (leader === undefined || epoch === undefined) return;
    this.#note(leader.id, 'is asked to resign');
    this.#cluster.trace.count('resignations');
    leader.run(() => leader.process?.driver.resign(epoch));
    this.#cluster.touch(leader);
  }

  #wipe(): void {
    const { voters, scheduler, trace } = this.#cluster;
    const isEstablished = voters.every(({ disk }) => disk.hardState.voters.length > 0);
    if (!isEstablished || this.#wipesLeft === 0) return;
    const candidates = voters.filter(({ key, id }) => key.directoryId === `dir-${id}`);
    const node = candidates[this.#random.integer(0, candidates.length)];
    if (node === undefined) return;
    this.#wipesLeft--;
    this.#note(node.id, 'gets a new disk');
    trace.count('disks wiped');
    node.kill(true);
    node.disk.wipe();
    node.key = { id: node.id, directoryId: `dir-${node.id}-new` };
    scheduler.after(this.#random.float() * 3000, () => node.start());
  }

  #note(id: NodeId, text: string): void {
    const { trace, scheduler } = this.#cluster;
    trace.event(scheduler.nowMs, 30, id, text.length, 0, () => `*** ${id === 0 ? '' : `${id} `}${text}`);
  }
}
