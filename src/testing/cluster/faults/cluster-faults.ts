/**
 * Everything that a test may do to a running cluster but kill its nodes. Each fault lasts until it is healed: by what it
 * returned, which `using` does at the end of a block, or by `heal`, as the end of the cluster does.
 */
import { assert, type NodeId } from '../../../base/index.ts';
import type { Environment, Timers } from '../../../env/index.ts';
import { formatAddress, type Transport } from '../../../rpc/api/index.ts';
import type { NodePlan, NodeWorld } from '../../../server/index.ts';
import { ClusterClock } from './cluster-clock.ts';
import { type Drop, Drops, type DropWhat } from './drops.ts';
import { Freezer } from './freezer.ts';
import { HeldTransport } from './held-transport.ts';
import { Links, type Place } from './links.ts';
import { NodeDisk } from './node-disk.ts';

/** Something that is broken. */
export interface Fault extends Disposable {
  /** Ends it; a second time does nothing. */
  heal(): void;
}

interface Faulty {
  readonly plan: NodePlan;
  readonly disk: NodeDisk;
  /** Of the running life. */
  freezer: Freezer;
}

export interface ClusterFaultsOptions {
  readonly nodes: readonly NodePlan[];
  /** Of the test itself. */
  readonly environment: Environment;
}

export class ClusterFaults {
  readonly clock: ClusterClock;
  readonly #environment: Environment;
  readonly #nodes: ReadonlyMap<NodeId, Faulty>;
  readonly #places = new Map<string, NodeId>();
  readonly #links: Links;
  readonly #drops = new Drops();
  readonly #active = new Set<Fault>();

  constructor({ nodes, environment }: ClusterFaultsOptions) {
    const { timers } = environment;
    this.#environment = environment;
    this.#links = new Links(timers);
    this.clock = new ClusterClock(nodes.map(({ id }) => id));
    this.#nodes = new Map(
      nodes.map((plan) => [plan.id, { plan, disk: new NodeDisk(timers), freezer: new Freezer() }]),
    );
    for (const { id, listeners } of nodes)
      for (const address of Object.values(listeners)) this.#places.set(formatAddress(address), id);
  }

  /** The world of the next life of a node, with its faults in between. `own` comes between node and disk. */
  wrap(id: NodeId, world: NodeWorld, own: (environment: Environment) => Environment): NodeWorld {
    const node = this.#get(id);
    node.freezer = new Freezer();
    const disk = node.disk.wrap(world.environment);
    const clock = this.clock.of(id, world.environment.clock);
    const environment = node.freezer.wrap(own({ ...disk, clock }));
    return { environment, transport: this.transport(id, world.transport, environment.timers) };
  }

  transport(place: Place, transport: Transport, timers: Timers): Transport {
    const placeOf = (address: Parameters<typeof formatAddress>[0]): NodeId | undefined =>
      this.#places.get(formatAddress(address));
    return new HeldTransport({ transport, place, timers, links: this.#links, drops: this.#drops, placeOf });
  }

  partition(sides: readonly (readonly Place[])[]): Fault {
    const undo = sides.flatMap((side) =>
      sides.filter((other) => other !== side).map((other) => this.#links.cut(side, other)),
    );
    return this.#begin(() => {
      for (const uncut of undo) uncut();
    });
  }

  block(from: readonly Place[], to: readonly Place[]): Fault {
    return this.#begin(this.#links.cut(from, to));
  }

  isolate(id: NodeId): Fault {
    this.#get(id);
    const others = [...this.#nodes.keys()].filter((other) => other !== id);
    return this.partition([[id], [...others, 'clients']]);
  }

  pause(id: NodeId): Fault {
    this.#get(id).freezer.freeze();
    this.#links.pause(id);
    return this.#begin(() => this.resume(id));
  }

  /** Also for a node that is dead: its next life runs. */
  resume(id: NodeId): void {
    this.#get(id).freezer.thaw();
    this.#links.resume(id);
  }

  isPaused(id: NodeId): boolean {
    return this.#get(id).freezer.isFrozen;
  }

  slowDisk(id: NodeId, slowMs: number): Fault {
    const { disk } = this.#get(id);
    disk.slowMs = slowMs;
    return this.#begin(() => {
      disk.slowMs = 0;
    });
  }

  fullDisk(id: NodeId, leftBytes: number): Fault {
    const { space } = this.#get(id).disk;
    space.fill(leftBytes);
    return this.#begin(() => space.free());
  }

  failDisk(id: NodeId, directories: readonly string[]): Fault {
    const { failing } = this.#get(id).disk;
    for (const directory of directories) failing.break(directory);
    return this.#begin(() => {
      for (const directory of directories) failing.mend(directory);
    });
  }

  /** For a node that is dead. Gives how many bytes went. */
  loseUnsynced(id: NodeId): Promise<number> {
    return this.#get(id).disk.loseUnsynced(this.#environment.files);
  }

  dropNext(what: DropWhat): Drop {
    return this.#drops.next(what);
  }

  heal(): void {
    for (const fault of [...this.#active]) fault.heal();
    this.#drops.clear();
    this.clock.reset();
  }

  #begin(end: () => void): Fault {
    const fault: Fault = {
      heal: () => {
        if (this.#active.delete(fault)) end();
      },
      [Symbol.dispose]: () => fault.heal(),
    };
    this.#active.add(fault);
    return fault;
  }

  #get(id: NodeId): Faulty {
    const node = this.#nodes.get(id);
    assert(node !== undefined, 'the cluster has the node', { id });
    return node;
  }
}
