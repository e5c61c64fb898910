/** Finalised feature levels: what the cluster has agreed to use. A level of 0 is absence. */
import { Map as ImmutableMap } from 'immutable';
import type { FeatureLevelRecord, MetadataRecord } from '../records/records.ts';

/** Level by feature name. */
export type FeaturesImage = ImmutableMap<string, number>;

export const EMPTY_FEATURES: FeaturesImage = ImmutableMap();

/** Version of records and their meaning. Each writer checks the finalised level before it uses newer ones. */
export const METADATA_VERSION = { name: 'metadata.version', min: 1, max: 1 } as const;

export function replayFeatureLevel(features: FeaturesImage, record: FeatureLevelRecord): FeaturesImage {
  return record.featureLevel === 0
    ? features.delete(record.name)
    : features.set(record.name, record.featureLevel);
}

/** metadata.version first, since it says how to read the rest; then by name. */
export function featureRecords(features: FeaturesImage): MetadataRecord[] {
  const names = [...features.keys()].sort();
  const first = names.filter((name) => name === METADATA_VERSION.name);
  const others = names.filter((name) => name !== METADATA_VERSION.name);
  return [...first, ...others].map((name) => ({
    kind: 'feature-level',
    name,
    featureLevel: features.get(name, 0),
  }));
}
