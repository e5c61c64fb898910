/** The transport of one place, over lanes that faults may block: production code that calls through it is none the wiser. */
import { assert } from '../../../base/index.ts';
import type { Timers } from '../../../env/index.ts';
import {
  type Address,
  type CallOptions,
  type Connection,
  formatAddress,
  type Listener,
  type ServedServices,
  type ServeOptions,
  type Sink,
  type Transport,
} from '../../../rpc/api/index.ts';
import { methodsOf, type ServiceKey } from '../../../rpc/protobuf/index.ts';
import type { Drops } from './drops.ts';
import { type CallPath, callDuplex, callUnary, type HeldCall } from './held-call.ts';
import { holdServices } from './held-services.ts';
import type { Links, Place } from './links.ts';

export interface HeldTransportOptions {
  readonly transport: Transport;
  /** Whose it is. */
  readonly place: Place;
  readonly timers: Timers;
  readonly links: Links;
  readonly drops: Drops;
  /** Whose an address is; undefined: nobody's of this cluster. */
  readonly placeOf: (address: Address) => Place | undefined;
}

type AnyCall = (argument: unknown, options: CallOptions) => unknown;
type AnyService = Readonly<Record<string, AnyCall>>;

export class HeldTransport implements Transport {
  readonly #options: HeldTransportOptions;
  readonly #open = new Set<HeldCall>();

  constructor(options: HeldTransportOptions) {
    this.#options = options;
  }

  serve(address: Address, services: ServedServices, options?: ServeOptions): Promise<Listener> {
    const { transport, links, place } = this.#options;
    return transport.serve(address, holdServices(services, links.lane(place, place)), options);
  }

  connect(address: Address): Connection {
    const { transport, placeOf } = this.#options;
    const connection = transport.connect(address);
    const to = placeOf(address);
    if (to === undefined) return connection;
    return {
      address,
      broker: this.#stub(connection, 'broker', to),
      admin: this.#stub(connection, 'admin', to),
      replica: this.#stub(connection, 'replica', to),
      controller: this.#stub(connection, 'controller', to),
      quorum: this.#stub(connection, 'quorum', to),
      close: () => connection.close(),
    };
  }

  close(): Promise<void> {
    for (const call of [...this.#open]) call.abandon();
    return this.#options.transport.close();
  }

  /** Has the methods of the table, and so those of the service. */
  #stub<K extends ServiceKey>(connection: Connection, key: K, to: Place): Connection[K] {
    const service = connection[key] as unknown as AnyService;
    const methods = methodsOf(key).map(([property, { kind }]) => {
      const invoke: AnyCall = (argument, options) => {
        const method = service[property];
        assert(method !== undefined, 'a connection has every method', { key, property });
        return method(argument, options);
      };
      const path = this.#path(`${key}.${property}`, connection.address, to);
      const call: AnyCall =
        kind === 'unary'
          ? (request, options) => callUnary(path, request, options, async (one, o) => invoke(one, o))
          : (replies, options) =>
              callDuplex(
                path,
                replies as Sink<unknown>,
                options,
                (one, o) => invoke(one, o) as Sink<unknown>,
              );
      return [property, call] as const;
    });
    return Object.fromEntries(methods) as unknown as Connection[K];
  }

  #path(method: string, address: Address, to: Place): CallPath {
    const { links, place, timers, drops } = this.#options;
    return {
      there: links.lane(place, to),
      back: links.lane(to, place),
      here: links.lane(place, place),
      timers,
      peer: formatAddress(address),
      open: this.#open,
      isDropped: (message) => drops.take(method, message, place, to),
    };
  }
}
