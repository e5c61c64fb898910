import { StartupError } from '../base/index.ts';
import type { Transport } from '../rpc/api/index.ts';
import { Admin } from './admin/admin.ts';
import type { ClientEnvironment } from './client-environment.ts';
import { type Bootstrap, parseBootstrap } from './cluster/bootstrap.ts';
import { Cluster } from './cluster/cluster.ts';
import { Consumer } from './consumer/consumer.ts';
import type { ConsumerOptions } from './consumer/options.ts';
import type { ProducerOptions } from './producer/options.ts';
import { Producer } from './producer/producer.ts';

/** What every client needs to know. */
export interface ClientSettings {
  /** `host:port` of one broker or more, comma separated or a list; the others are learnt from them. */
  readonly bootstrap: Bootstrap;
  /** Appears in the brokers' logs. Default 'quorate-client'. */
  readonly clientId?: string;
  /** Of admin calls and metadata, retries included. Default 30000. */
  readonly requestTimeoutMs?: number;
  /** Metadata are asked for again after this even when nothing seems wrong. Default 300000. */
  readonly metadataMaxAgeMs?: number;
  /** First wait before a call is repeated; doubles. Default 100. */
  readonly retryBackoffMs?: number;
  /** Default 1000. */
  readonly retryBackoffMaxMs?: number;
}

export interface ClientOptions extends ClientSettings {
  /** How brokers are reached. The client closes the connections it made, not the transport. */
  readonly transport: Transport;
  readonly environment: ClientEnvironment;
  /** Runs once when the client is closed, last. */
  readonly onClosed?: () => Promise<void>;
}

/** One application's access to one cluster. Cheap to make: nothing is connected before it is used. */
export class Client implements AsyncDisposable {
  readonly admin: Admin;
  readonly #cluster: Cluster;
  readonly #onClosed: (() => Promise<void>) | undefined;
  readonly #open = new Set<Producer | Consumer>();
  #closing: Promise<void> | undefined;

  /** Use {@link createClient}. */
  constructor(options: ClientOptions) {
    const requestTimeoutMs = positive('requestTimeoutMs', options.requestTimeoutMs ?? 30_000);
    this.#cluster = new Cluster({
      bootstrap: parseBootstrap(options.bootstrap),
      transport: options.transport,
      environment: options.environment,
      clientId: options.clientId ?? 'quorate-client',
      requestTimeoutMs,
      metadataMaxAgeMs: positive('metadataMaxAgeMs', options.metadataMaxAgeMs ?? 300_000),
      retryBackoff: {
        firstMs: positive('retryBackoffMs', options.retryBackoffMs ?? 100),
        maxMs: positive('retryBackoffMaxMs', options.retryBackoffMaxMs ?? 1000),
        factor: 2,
      },
    });
    this.#onClosed = options.onClosed;
    this.admin = new Admin(this.#cluster, requestTimeoutMs);
  }

  /** A new producer. Share one: it batches the better. */
  producer(options: ProducerOptions = {}): Producer {
    const producer = new Producer(this.#cluster, options, (closed) => this.#open.delete(closed));
    this.#open.add(producer);
    return producer;
  }

  /** A new consumer of the named partitions. */
  consumer(options: ConsumerOptions): Consumer {
    const consumer = new Consumer(this.#cluster, options, (closed) => this.#open.delete(closed));
    this.#open.add(consumer);
    return consumer;
  }

  /** Flushes producers, ends consumers, closes connections. `timeoutMs` bounds the flush. */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(options: { readonly timeoutMs?: number }): Promise<void> {
    await Promise.all([...this.#open].map((one) => one.close(options)));
    this.#cluster.close();
    await this.#onClosed?.();
  }
}

/**
 * A client of the cluster that `bootstrap` belongs to. No I/O; throws StartupError for settings that cannot
 * be.
 */
export function createClient(options: ClientOptions): Client {
  return new Client(options);
}

function positive(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new StartupError(`${name} must be above 0, not ${value}`);
}
