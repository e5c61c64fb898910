/** Breaks things at random while the first phase of a run lasts; `heal` ends all that is broken. */
import { SeededRandom } from '../../../base/index.ts';
import { pairName } from './coverage.ts';
import { FAULT_KINDS, FAULTS, type FaultKind, type Trouble } from './faults/index.ts';
import type { SimWorld } from './world.ts';

export class Nemesis {
  readonly #world: SimWorld;
  readonly #active = new Map<Trouble, FaultKind>();
  #isOver = false;

  constructor(world: SimWorld) {
    this.#world = world;
  }

  start(): void {
    const { seed, faults } = this.#world.options;
    for (const kind of FAULT_KINDS) {
      const meanMs = faults[kind];
      if (meanMs !== undefined) this.#strikeLater(kind, meanMs, new SeededRandom(seed, `fault: ${kind}`));
    }
  }

  /** Everything works from now on. What is down is started by whoever calls. */
  heal(): void {
    this.#isOver = true;
    for (const trouble of [...this.#active.keys()]) this.#end(trouble);
    this.#world.network.heal();
    for (const { files, stores } of this.#world.machines) {
      files.failNoMore();
      stores.failNoMore();
    }
    for (const broker of this.#world.brokers) if (broker.hasFailedDirectory) broker.kill(false);
    this.#note('healed', 'everything');
  }

  #strikeLater(kind: FaultKind, meanMs: number, random: SeededRandom): void {
    this.#world.scheduler.after(-Math.log(1 - random.float()) * meanMs, () => {
      if (this.#isOver) return;
      this.#strike(kind, random);
      this.#strikeLater(kind, meanMs, random);
    });
  }

  #strike(kind: FaultKind, random: SeededRandom): void {
    const { trace, scheduler, recorder } = this.#world;
    const trouble = FAULTS[kind].begin(this.#world, random);
    if (trouble === undefined) return;
    trace.count(`fault: ${kind}`);
    for (const other of new Set(this.#active.values()))
      if (other !== kind) trace.count(pairName(kind, other));
    this.#note(kind, trouble.text);
    recorder.note('nemesis', { f: 'fault', fault: kind, ...trouble.record });
    if (trouble.lastsMs === 0) return;
    this.#active.set(trouble, kind);
    scheduler.after(trouble.lastsMs, () => this.#end(trouble));
  }

  #end(trouble: Trouble): void {
    const kind = this.#active.get(trouble);
    if (kind === undefined) return;
    this.#active.delete(trouble);
    this.#note(kind, `over: ${trouble.text}`);
    trouble.end();
  }

  #note(kind: string, text: string): void {
    this.#world.note(`${kind}: ${text}`);
  }
}
