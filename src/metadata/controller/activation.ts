/** What a controller writes on its own account. */
import { accept, acceptEach } from '../../machine/index.ts';
import { METADATA_VERSION } from '../image/features.ts';
import type { MetadataImage } from '../image/image.ts';
import type { MetadataRecord } from '../records/records.ts';
import type { DecideContext, MetadataDecision } from './context.ts';
import { recordsForLeaderless } from './leadership.ts';

export interface Activated {
  readonly bootstrapped: boolean;
  /** Partitions that get a leader now. */
  readonly elected: number;
}

/**
 * First act in office. An empty log gets the level of metadata.version, which says how to read all that follows. A leader
 * is elected for each partition that could have one: the predecessor may have lost its office between two parts of the
 * records that unfenced a broker, and no later event would look at the rest.
 */
export function decideActivate(image: MetadataImage, { config }: DecideContext): MetadataDecision<Activated> {
  const elections = recordsForLeaderless(image, undefined, config.staticConfig);
  const { name, max: featureLevel } = METADATA_VERSION;
  const bootstrapped = !image.features.has(name);
  const first: MetadataRecord[] = bootstrapped ? [{ kind: 'feature-level', name, featureLevel }] : [];
  return acceptEach([...first, ...elections], { bootstrapped, elected: elections.length });
}

/** Keeps the log moving, so that brokers' offsets can be compared while nothing happens. */
export function decideNoOp(): MetadataDecision<Record<never, never>> {
  const record: MetadataRecord = { kind: 'no-op' };
  return accept([record], {});
}
