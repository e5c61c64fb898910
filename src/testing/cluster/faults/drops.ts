/** Messages that are going to be lost: each takes its connection along, for that is how TCP loses one. */
import type { Connection } from '../../../rpc/api/index.ts';
import type { Place } from './links.ts';

type Services = Omit<Connection, 'address' | 'close'>;

/** `service.method` of rpc/api: 'broker.produceStream', 'replica.replicaFetch', 'quorum.vote', … */
export type MethodName = {
  [S in keyof Services & string]: `${S}.${keyof Services[S] & string}`;
}[keyof Services & string];

export interface DropWhat {
  readonly method: MethodName;
  /** A lost request has no effect; a lost reply hides one that it had. */
  readonly message: 'request' | 'reply';
  /** Who calls. Default: anyone. */
  readonly from?: Place;
  /** Who is called. Default: anyone. */
  readonly to?: Place;
}

/** A message that is going to be dropped. */
export interface Drop {
  /** Resolves when it has been. */
  readonly dropped: Promise<void>;
  /** It shall come through after all. */
  cancel(): void;
}

/** Drops that wait at a time; more are a loop gone wrong. */
const WAITING_MAX = 1000;

interface Waiting extends DropWhat {
  readonly happened: () => void;
}

export class Drops {
  readonly #waiting = new Set<Waiting>();

  next(what: DropWhat): Drop {
    if (this.#waiting.size >= WAITING_MAX) throw new RangeError(`${WAITING_MAX} drops wait already`);
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting: Waiting = { ...what, happened: resolve };
    this.#waiting.add(waiting);
    return { dropped: promise, cancel: () => this.#waiting.delete(waiting) };
  }

  /** True: this message is lost. One drop is used up by that. */
  take(method: string, message: DropWhat['message'], from: Place, to: Place): boolean {
    for (const waiting of this.#waiting) {
      if (waiting.method !== method || waiting.message !== message) continue;
      if ((waiting.from ?? from) !== from || (waiting.to ?? to) !== to) continue;
      this.#waiting.delete(waiting);
      waiting.happened();
      return true;
    }
    return false;
  }

  clear(): void {
    this.#waiting.clear();
  }
}
