import type { ProducerId } from '../../base/index.ts';
import { type Backoff, backoffMs } from '../backoff.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { messageOf } from '../failure.ts';
import type { ProducerIdentity } from './identity.ts';

/** Gets producer ids from the cluster, one request at a time, and keeps the latest. */
export class IdentitySource {
  readonly #cluster: Cluster;
  readonly #timeoutMs: number;
  readonly #backoff: Backoff;
  readonly #onFound: () => void;
  #latest: ProducerIdentity | undefined;
  #asking = false;
  #failures = 0;

  constructor(cluster: Cluster, timeoutMs: number, backoff: Backoff, onFound: () => void) {
    this.#cluster = cluster;
    this.#timeoutMs = timeoutMs;
    this.#backoff = backoff;
    this.#onFound = onFound;
  }

  /**
   * An identity with another producer id than `spent`; undefined: `onFound` will be called when there is one.
   */
  find(spent: ProducerId | undefined): ProducerIdentity | undefined {
    if (this.#latest !== undefined && this.#latest.producerId !== spent) return this.#latest;
    if (!this.#asking) this.#ask();
    return undefined;
  }

  #ask(): void {
    this.#asking = true;
    const { environment, clientId } = this.#cluster;
    const request = { clientId };
    this.#cluster
      .ask('getting a producer id', (connection, call) => connection.broker.initProducerId(request, call), {
        timeoutMs: this.#timeoutMs,
      })
      .then(
        ({ producerId, producerEpoch }) => {
          this.#asking = false;
          this.#failures = 0;
          this.#latest = { producerId, producerEpoch };
          this.#onFound();
        },
        (error: unknown) => {
          environment.logger.warn({ error: messageOf(error) }, 'no producer id yet');
          const delayMs = backoffMs(++this.#failures, this.#backoff, environment.random);
          environment.timers.after(delayMs, () => {
            this.#asking = false;
            this.#onFound();
          });
        },
      );
  }
}
