/**
 * One connection to each node this broker talks to, by node id and listener; replaced when the node's address changes.
 */
import { assert } from '../../base/index.ts';
import { type Address, type Connection, formatAddress } from '../../rpc/api/index.ts';

/** Far above the nodes of a real cluster; a leak would show here. */
const CONNECTIONS_MAX = 10_000;

export class ConnectionPool {
  readonly #connect: (address: Address) => Connection;
  readonly #connections = new Map<string, Connection>();
  #closed = false;

  constructor(connect: (address: Address) => Connection) {
    this.#connect = connect;
  }

  /** `key` names the node and the listener, such as `3/client`. */
  get(key: string, address: Address): Connection {
    assert(!this.#closed, 'connection asked of a closed pool', { key });
    const known = this.#connections.get(key);
    if (known !== undefined) {
      if (formatAddress(known.address) === formatAddress(address)) return known;
      known.close();
    }
    assert(known !== undefined || this.#connections.size < CONNECTIONS_MAX, 'too many connections');
    const connection = this.#connect(address);
    this.#connections.set(key, connection);
    return connection;
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }
}
