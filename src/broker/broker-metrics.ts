import type { Metrics } from '../env/index.ts';
import type { BrokerStatus } from './broker.ts';

/** What an operator sees of a broker; read when somebody looks. */
export function registerBrokerMetrics(
  metrics: Metrics,
  read: {
    readonly status: () => BrokerStatus;
    readonly partitionCount: () => number;
    readonly leaderCount: () => number;
    readonly inFlightCount: () => number;
  },
): void {
  metrics.gauge('broker_running', '1: registered, caught up and unfenced', () =>
    read.status().phase === 'running' ? 1 : 0,
  );
  metrics.gauge(
    'broker_epoch',
    'broker epoch of this incarnation; -1: not registered',
    () => read.status().brokerEpoch,
  );
  metrics.gauge(
    'broker_metadata_offset',
    'first metadata offset that is not published here',
    () => read.status().metadataOffset,
  );
  metrics.gauge('broker_partitions', 'replicas hosted here', read.partitionCount);
  metrics.gauge('broker_leaders', 'partitions led by this broker', read.leaderCount);
  metrics.gauge(
    'broker_requests_in_flight',
    'produce requests that wait for their reply',
    read.inFlightCount,
  );
}
