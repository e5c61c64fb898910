import { EnvironmentError, type NodeId } from '../../base/index.ts';
import type { Address, BrokerListener, Connection, Transport } from '../../rpc/api/index.ts';
import type { QuorumView } from '../controller/quorum-view.ts';
import type { MetadataCache } from '../metadata-cache/metadata-cache.ts';
import { ConnectionPool } from './connection-pool.ts';

export interface PeersOptions {
  readonly transport: Pick<Transport, 'connect'>;
  readonly cache: MetadataCache;
  readonly quorum: QuorumView;
  readonly controllerEndpoints: (controller: NodeId) => Address | undefined;
}

/** The other nodes by id: controllers where the quorum or the configuration says, brokers where the metadata says. */
export class Peers {
  readonly #options: PeersOptions;
  readonly pool: ConnectionPool;

  constructor(options: PeersOptions) {
    this.#options = options;
    this.pool = new ConnectionPool((address) => options.transport.connect(address));
  }

  controllerAddress(id: NodeId): Address | undefined {
    const { leaderId, leaderEndpoint } = this.#options.quorum.status();
    return (leaderId === id ? leaderEndpoint : undefined) ?? this.#options.controllerEndpoints(id);
  }

  /** EnvironmentError 'unreachable' when nobody knows where it listens, 'closed' after close. */
  controller(id: NodeId): Connection {
    return this.#connect(`${id}/controller`, this.controllerAddress(id), `controller ${id}`);
  }

  /** By the listener it registered; EnvironmentError as for a controller. */
  broker(id: NodeId, listener: BrokerListener['name']): Connection {
    return this.#connect(`${id}/${listener}`, this.#options.cache.findAddress(id, listener), `broker ${id}`);
  }

  close(): void {
    this.pool.close();
  }

  #connect(key: string, address: Address | undefined, who: string): Connection {
    if (this.pool.closed) throw new EnvironmentError('closed', who, 'this node is closing');
    if (address === undefined) throw new EnvironmentError('unreachable', who, `${who} has no known address`);
    return this.pool.get(key, address);
  }
}
