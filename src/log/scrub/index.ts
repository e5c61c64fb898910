/** Looks after what lies on disk: closed segments are read from time to time, replicas are compared. */

export { type DigestRange, digestStored, type StoredDigest } from './digest-stored.ts';
export type { ScrubSettings } from './scrub-pace.ts';
export { type Scrubber, type ScrubOptions, startScrub } from './scrubber.ts';
