/** rpc/api's Transport over gRPC. See docs and proto/quorate/v1 for what goes over the wire. */
import { type Logger, type Metrics, NO_METRICS } from '../../env/index.ts';
import type { Address, Connection, Listener, ServedServices, ServeOptions, Transport } from '../api/index.ts';
import { GrpcConnection } from './connection.ts';
import { DEFAULT_LIMITS, type GrpcLimits } from './limits.ts';
import { openListener } from './listener.ts';

export interface GrpcTransportOptions {
  readonly logger: Logger;
  readonly metrics?: Metrics;
  /** What is not named keeps its default. */
  readonly limits?: Partial<GrpcLimits>;
}

/** Connections and listeners over HTTP/2 without TLS, by @grpc/grpc-js. */
export function createGrpcTransport(options: GrpcTransportOptions): Transport {
  return new GrpcTransport(options);
}

class GrpcTransport implements Transport {
  readonly #logger: Logger;
  readonly #limits: GrpcLimits;
  readonly #listeners = new Set<Listener>();
  readonly #connections = new Set<Connection>();

  constructor(options: GrpcTransportOptions) {
    this.#logger = options.logger.child({ component: 'rpc/grpc' });
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    const metrics = options.metrics ?? NO_METRICS;
    metrics.gauge('rpc_connections_out', 'connections this node has made', () => this.#connections.size);
  }

  async serve(address: Address, services: ServedServices, options: ServeOptions = {}): Promise<Listener> {
    const listener = await openListener(address, services, {
      ...options,
      limits: this.#limits,
      logger: this.#logger,
      onClose: (closed) => this.#listeners.delete(closed),
    });
    this.#listeners.add(listener);
    return listener;
  }

  connect(address: Address): Connection {
    const connection: Connection = new GrpcConnection(address, this.#limits, () =>
      this.#connections.delete(connection),
    );
    this.#connections.add(connection);
    return connection;
  }

  async close(): Promise<void> {
    for (const connection of [...this.#connections]) connection.close();
    await Promise.all([...this.#listeners].map((listener) => listener.close(0)));
  }
}
