/** What a controller writes on its own account. */
import { accept } from '../../machine/index.ts';
import { METADATA_VERSION } from '../image/features.ts';
import type { MetadataImage } from '../image/image.ts';
import type { MetadataRecord } from '../records/records.ts';
import type { MetadataDecision } from './context.ts';

/** First act in office. An empty log gets the level of metadata.version, which says how to read all that follows. */
export function decideActivate(image: MetadataImage): MetadataDecision<{ bootstrapped: boolean }> {
  if (image.features.has(METADATA_VERSION.name))
    return accept<MetadataRecord, { bootstrapped: boolean }>([], { bootstrapped: false });
  const { name, max: featureLevel } = METADATA_VERSION;
  const record: MetadataRecord = { kind: 'feature-level', name, featureLevel };
  return accept([record], { bootstrapped: true });
}

/** Keeps the log moving, so that brokers' offsets can be compared while nothing happens. */
export function decideNoOp(): MetadataDecision<Record<never, never>> {
  const record: MetadataRecord = { kind: 'no-op' };
  return accept([record], {});
}
