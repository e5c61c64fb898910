/**
 * The standard health service (grpc.health.v1), for load balancers and `grpc_health_probe`.
 *
 * The node says by a function whether it serves; here it is asked at each check, and once a second for
 * those who watch.
 */
import type { Server, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { HealthImplementation, type ServingStatus } from 'grpc-health-check';

const WATCH_INTERVAL_MS = 1000;

export class HealthService {
  readonly #names: readonly string[];
  readonly #healthy: () => boolean;
  readonly #health: HealthImplementation;
  readonly #timer: NodeJS.Timeout;
  #status: ServingStatus | undefined;
  #closed = false;

  /** `names`: the services of the listener; '' stands for all of them. */
  constructor(names: readonly string[], healthy: () => boolean = () => true) {
    this.#names = ['', ...names];
    this.#healthy = healthy;
    this.#health = new HealthImplementation();
    this.#refresh();
    this.#timer = setInterval(() => this.#refresh(), WATCH_INTERVAL_MS).unref();
  }

  #refresh(): void {
    const status = !this.#closed && this.#healthy() ? 'SERVING' : 'NOT_SERVING';
    if (status === this.#status) return;
    this.#status = status;
    for (const name of this.#names) this.#health.setStatus(name, status);
  }

  addTo(server: Server): void {
    const refreshing = (
      handler: UntypedServiceImplementation[string],
    ): UntypedServiceImplementation[string] => {
      const run = handler as (...args: readonly unknown[]) => void;
      return (...args: readonly unknown[]) => {
        this.#refresh();
        run(...args);
      };
    };
    this.#health.addToServer({
      addService(definition, implementation) {
        const handlers = Object.entries(implementation as UntypedServiceImplementation);
        const wrapped = handlers.map(([name, handler]) => [name, refreshing(handler)]);
        server.addService(definition as ServiceDefinition, Object.fromEntries(wrapped));
      },
    });
  }

  /** From now on the answer is NOT_SERVING. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#refresh();
  }
}
