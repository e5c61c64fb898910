/** Figures of a controller, read when somebody looks. */
import { NONE } from '../../base/index.ts';
import type { Metrics } from '../../env/index.ts';
import type { MetadataImage } from '../image/image.ts';

export interface ObservedController {
  readonly isActive: boolean;
  image(): MetadataImage;
}

export function registerControllerMetrics(metrics: Metrics, controller: ObservedController): void {
  const gauge = (name: string, help: string, read: (image: MetadataImage) => number): void =>
    metrics.gauge(name, help, () => read(controller.image()));
  gauge('controller_active', '1 on the active controller', () => (controller.isActive ? 1 : 0));
  gauge('controller_metadata_offset', 'first metadata offset not applied here', ({ offset }) => offset);
  gauge('controller_brokers_alive', 'registered brokers that are not fenced', ({ cluster }) =>
    cluster.brokers.count(({ fenced }) => !fenced),
  );
  gauge('controller_brokers_fenced', 'registered brokers that are fenced', ({ cluster }) =>
    cluster.brokers.count(({ fenced }) => fenced),
  );
  gauge('controller_topics', 'topics', ({ topics }) => topics.byName.size);
  gauge('controller_partitions_offline', 'partitions without a leader', ({ topics }) =>
    topics.byName.reduce(
      (count, { partitions }) => count + partitions.filter(({ leader }) => leader === NONE).length,
      0,
    ),
  );
}
