/**
 * One listening address of a node: finds the implementation of a call, closes with grace.
 *
 * To close drops the duplicates still to come; those that run count among the running calls, and end with the
 * grace at the latest.
 */
import { ApiError } from '../../base/index.ts';
import type { Logger } from '../../env/index.ts';
import type { Address, Listener, ServedServices } from '../api/index.ts';
import { type AnyMethod, methodsOf, SERVICES, type ServiceKey } from '../protobuf/index.ts';
import { Duplicates, type DuplicatesHost } from './duplicates.ts';
import { type Duplex, refuse, serveDuplex, serveUnary, type Unary } from './handlers.ts';
import { disconnected, type MemoryCall, type ServerEnd } from './session.ts';

export interface ListenerHost {
  readonly logger: Logger;
  /** Frees the address. */
  closed(listener: MemoryListener): void;
  later(delayMs: number, task: () => void): void;
  readonly duplicates: DuplicatesHost;
}

export class MemoryListener implements Listener {
  readonly address: Address;
  accepting = true;
  readonly #services: ServedServices;
  readonly #host: ListenerHost;
  readonly #calls = new Set<MemoryCall>();
  readonly #duplicates: Duplicates;
  #whenIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(address: Address, services: ServedServices, host: ListenerHost) {
    this.address = address;
    this.#services = services;
    this.#host = host;
    this.#duplicates = new Duplicates(host.duplicates, (duplicate) => this.#serve(duplicate));
  }

  /** The implementation's end of a call that has arrived. */
  handle(call: MemoryCall): ServerEnd {
    const end = this.#serve(call);
    return call.method.kind === 'unary' ? this.#duplicates.watch(call, end) : end;
  }

  /** Duplicates still to come do not come any more. */
  dropDuplicates(): void {
    this.#duplicates.drop();
  }

  #serve(call: MemoryCall): ServerEnd {
    this.#calls.add(call);
    const run = this.#find(call.method);
    const over = (): void => this.#forget(call);
    if (run === undefined) return refuse(call, over);
    const log = (error: unknown): void => {
      const fields = { method: call.method.path, error };
      if (!(error instanceof ApiError)) this.#host.logger.error(fields, 'a call failed unexpectedly');
    };
    return call.method.kind === 'unary'
      ? serveUnary(call, run as Unary, over, log)
      : serveDuplex(call, run as Duplex, over, log);
  }

  #find(method: AnyMethod): Unary | Duplex | undefined {
    const place = PLACES.get(method);
    if (place === undefined) return undefined;
    const service = this.#services[place.key] as unknown as Record<string, Unary | Duplex> | undefined;
    return service?.[place.property]?.bind(service);
  }

  #forget(call: MemoryCall): void {
    this.#calls.delete(call);
    this.#duplicates.forget(call);
    if (this.#calls.size === 0) this.#whenIdle?.();
  }

  close(graceMs: number): Promise<void> {
    if (this.#closing === undefined) {
      this.accepting = false;
      this.#host.closed(this);
      this.#closing = new Promise((resolve) => {
        this.#whenIdle = resolve;
        if (this.#calls.size === 0) resolve();
        else if (graceMs > 0) this.#host.later(graceMs, () => this.#cut());
      });
    }
    if (graceMs === 0) this.#cut();
    return this.#closing;
  }

  #cut(): void {
    const sessions = new Set([...this.#calls].map(({ session }) => session));
    for (const call of [...this.#calls]) call.serverGone(disconnected(call.session.client.name));
    for (const session of sessions) session.endedBy(session.server);
  }
}

const PLACES = new Map(
  (Object.keys(SERVICES) as ServiceKey[]).flatMap((key) =>
    methodsOf(key).map(([property, method]) => [method, { key, property }] as const),
  ),
);
