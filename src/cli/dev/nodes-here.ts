/**
 * The nodes of a plan in this process. What is fatal to one of them, a full disk say, ends that node only, as if it were a
 * process of its own; a bug ends the process, for it may have spoilt all of them.
 */
import process from 'node:process';
import type { NodeId } from '../../base/index.ts';
import type { Exit, Logger } from '../../env/index.ts';
import { processExit } from '../../env/node/index.ts';
import { type ClusterPlan, LocalCluster, type NodePlan } from '../../server/index.ts';
import { describeError, printNote } from '../output.ts';
import { realWorld } from '../world.ts';
import type { OnExit } from './node-processes.ts';

export class NodesHere {
  readonly #cluster: LocalCluster;
  readonly #onExit: OnExit;

  constructor(plan: ClusterPlan, onExit: OnExit) {
    this.#onExit = onExit;
    const worldOf = (node: NodePlan) =>
      realWorld({ logLevel: 'warn', exit: (logger) => this.#exitOf(node, logger) });
    this.#cluster = new LocalCluster({ plan, worldOf });
  }

  start(): Promise<void> {
    return this.#cluster.start();
  }

  pidOf(_id: NodeId): number {
    return process.pid;
  }

  stop(): Promise<void> {
    return this.#cluster.stop({ controlled: true });
  }

  #exitOf(node: NodePlan, logger: Logger): Exit {
    let hasEnded = false;
    return {
      fatal: (reason, error) => {
        // While it starts there is nothing to stop yet: nobody relies on it, and the start must not hang.
        if (reason === 'bug' || this.#cluster.node(node.id) === undefined)
          processExit(logger).fatal(reason, error);
        // The first reason is the one that counts: what follows it follows from it.
        if (hasEnded) return;
        hasEnded = true;
        this.#onExit(node, describeError(error));
        this.#cluster
          .stopNode(node.id, { controlled: false })
          .catch((failure: unknown) => printNote(`${node.name} did not stop: ${describeError(failure)}`));
      },
    };
  }
}
