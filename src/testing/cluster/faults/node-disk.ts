/** The disk of one node with all that can go wrong with it. It outlives the node. */
import { type Environment, type Files, sleep, type Timers } from '../../../env/index.ts';
import { type Around, aroundFiles, aroundStores } from '../around-disk.ts';
import { FailingDisk } from '../failing-disk.ts';
import { FillableDisk } from '../fillable-disk.ts';
import { SyncLedger } from './sync-ledger.ts';

export class NodeDisk {
  readonly space = new FillableDisk();
  readonly failing = new FailingDisk();
  /** Each operation takes so much longer. */
  slowMs = 0;
  readonly #ledger = new SyncLedger();
  readonly #timers: Timers;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** What a node on this disk sees of `environment`. */
  wrap(environment: Environment): Environment {
    const files = this.space.files(this.#ledger.files(environment.files));
    const stores = this.space.stores(environment.stores);
    return {
      ...environment,
      files: aroundFiles(this.failing.files(files), this.#slowly),
      stores: aroundStores(this.failing.stores(stores), this.#slowly),
    };
  }

  /** For a node that is dead. Gives how many bytes went. */
  loseUnsynced(files: Files): Promise<number> {
    return this.#ledger.lose(files);
  }

  heal(): void {
    this.slowMs = 0;
    this.space.free();
    this.failing.mendAll();
  }

  readonly #slowly: Around = async (_path, operation) => {
    if (this.slowMs > 0) await sleep(this.#timers, this.slowMs);
    return operation();
  };
}
