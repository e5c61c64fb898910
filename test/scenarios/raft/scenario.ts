/**
 * The language of quorum scenarios. A file is a list of blocks: a command, a line of four dashes, what happened.
 *
 *   cluster voters=3 [observers=1] [seed=1]   machines with formatted disks, links of 1 ms, none running
 *   start 1 2 3 · kill 1 · power-off 1 · pause 1 · resume 1
 *   cut 1 | 2 3 · cut-off 1 -> 2 · heal       both directions between the sides; one direction; all links again
 *   append 3                                  entries at the leader
 *   resign · shutdown 1                       the leader gives up; a node leaves, handing over first
 *   run 500                                   milliseconds of virtual time
 *   status                                    what every node believes, and the epochs of its log on disk
 *
 * Lines that start with # tell the story. Output has the virtual time, the node, and what its log says.
 */

import { type LogFields, type Logger, SILENT } from '../../../src/env/index.ts';
import { DEFAULT_QUORUM_TIMEOUTS } from '../../../src/raft/index.ts';
import { SimCluster } from '../../../src/testing/sim/raft/cluster.ts';
import type { SimNode } from '../../../src/testing/sim/raft/node.ts';
import type { SimOptions } from '../../../src/testing/sim/raft/options.ts';
import { Trace } from '../../../src/testing/sim/trace.ts';

const NEVER = Number.POSITIVE_INFINITY;
const QUIET = { crashMs: NEVER, pauseMs: NEVER, partitionMs: NEVER, slowDiskMs: NEVER, resignMs: NEVER };

/** The text of `file` with the output of each command as it is now. */
export function play(file: string): string {
  const player = new Player();
  const blocks = file.split('\n\n').map((block) => {
    const lines = block.trimEnd().split('\n');
    const end = lines.indexOf('----');
    const told = end === -1 ? lines : lines.slice(0, end);
    const commands = told.filter((line) => line !== '' && !line.startsWith('#'));
    if (commands.length === 0) return lines.join('\n');
    const output = commands.flatMap((command) => player.perform(command));
    return [...told, '----', ...(output.length === 0 ? ['(nothing)'] : output)].join('\n');
  });
  return `${blocks.join('\n\n')}\n`;
}

class Player {
  #cluster: SimCluster | undefined;
  #output: string[] = [];

  perform(command: string): string[] {
    const [verb = '', ...words] = command.split(' ');
    this.#do(verb, words);
    const output = this.#output;
    this.#output = [];
    return output;
  }

  #do(verb: string, words: readonly string[]): unknown {
    if (verb === 'cluster') return this.#create(words);
    const cluster = this.#get();
    const takesNodes = ['start', 'kill', 'power-off', 'pause', 'resume', 'shutdown'].includes(verb);
    const nodes = takesNodes ? words.map((word) => this.#node(Number(word))) : [];
    switch (verb) {
      case 'start':
        return nodes.map((node) => node.start());
      case 'kill':
        return nodes.map((node) => this.#kill(node, false));
      case 'power-off':
        return nodes.map((node) => this.#kill(node, true));
      case 'pause':
        return nodes.map((node) => node.pause());
      case 'resume':
        return nodes.map((node) => node.resume());
      case 'cut':
        return this.#cut(words);
      case 'cut-off':
        return cluster.network.cut(Number(words[0]), Number(words[2]));
      case 'heal':
        return cluster.network.heal();
      case 'append': {
        const leader = cluster.findLeader();
        return leader === undefined
          ? this.#output.push('no leader')
          : cluster.append(leader, Number(words[0]));
      }
      case 'resign': {
        const driver = cluster.findLeader()?.process?.driver;
        return driver?.resign(driver.status.epoch);
      }
      case 'shutdown':
        return nodes.map((node) => node.process?.driver.shutdown());
      case 'run':
        return cluster.run(() => false, Number(words[0]));
      case 'status':
        return cluster.nodes.map((node) => this.#output.push(status(node)));
      default:
        throw new Error(`unknown command: ${verb}`);
    }
  }

  #create(words: readonly string[]): void {
    const given = new Map(words.map((word) => word.split('=') as [string, string]));
    const options: SimOptions = {
      ...QUIET,
      seed: Number(given.get('seed') ?? 1),
      voters: Number(given.get('voters') ?? 3),
      observers: Number(given.get('observers') ?? 0),
      formatted: given.get('formatted') !== 'no',
      timeouts: DEFAULT_QUORUM_TIMEOUTS,
      faultsMs: 0,
      workloadMs: NEVER,
      delayMinMs: 1,
      delayMeanMs: 0,
      loss: 0,
      duplication: 0,
      syncMeanMs: 0,
      syncFailure: 0,
      wipeMs: NEVER,
      voteCrash: 0,
      tailEntries: 1000,
    };
    this.#cluster = new SimCluster(options, new Trace(false), (node) => this.#logger(node));
  }

  #kill(node: SimNode, power: boolean): void {
    const { network, nodes } = this.#get();
    node.kill(power);
    if (power) return;
    network.reset(node.id);
    for (const other of nodes) other.process?.driver.peerDisconnected(node.id);
  }

  #cut(words: readonly string[]): void {
    const bar = words.indexOf('|');
    for (const a of words.slice(0, bar).map(Number))
      for (const b of words.slice(bar + 1).map(Number)) {
        this.#get().network.cut(a, b);
        this.#get().network.cut(b, a);
      }
  }

  #logger(node: SimNode): Logger {
    const info = (fields: LogFields, message: string): void => {
      const atMs = Math.round(this.#get().scheduler.nowMs);
      const { from, role, epoch, reason, offset, endOffset } = fields;
      const text =
        message === 'quorum role changed'
          ? `${from} -> ${role}, epoch ${epoch}: ${reason}`
          : `${message}${offset === undefined ? '' : ` [${offset}, ${endOffset})`}`;
      this.#output.push(`${String(atMs).padStart(6)} ms  node ${node.id}  ${text}`);
    };
    return { ...SILENT, info, warn: info, error: info };
  }

  #get(): SimCluster {
    if (this.#cluster === undefined) throw new Error('a scenario begins with "cluster"');
    return this.#cluster;
  }

  #node(id: number): SimNode {
    const node = this.#get().nodes[id - 1];
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }
}

function status(node: SimNode): string {
  const epochs = node.disk.durable.map(({ epoch }) => epoch).join(' ');
  const driver = node.process?.driver;
  if (driver === undefined) return `node ${node.id}  down, disk [${epochs}]`;
  const { role, epoch, leaderId, highWatermark } = driver.status;
  const committed = `high watermark ${highWatermark}`;
  return `node ${node.id}  ${role}, epoch ${epoch}, leader ${leaderId}, ${committed}, disk [${epochs}]`;
}
