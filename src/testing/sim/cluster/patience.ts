/**
 * How much longer than a moment things may take in a world whose disks and links are slow: a log is opened and read segment by
 * segment, with some operations of the disk for each, and copied fetch by fetch.
 */
import type { SimWorld } from './world.ts';

const FILE_OPERATIONS = 10;
const FETCH_MESSAGES = 2;
const FETCH_OPERATIONS = 4;
/** By default. */
const FETCH_BYTES = 1024 * 1024;
/** A fetch brings a batch at least, however small. */
const BATCH_BYTES = 200;

/** Milliseconds beside those that a small, quick cluster may take for the same. */
export function patienceMs({ brokers, options }: SimWorld): number {
  const { delayMinMs, delayMeanMs, diskMeanMs, settings } = options;
  const files = Math.max(...brokers.map((machine) => machine.files.paths().length));
  const bytes = Math.max(...brokers.map((machine) => machine.files.usedBytes));
  const ofPartition = Number(settings['replica.fetch.max.bytes'] ?? FETCH_BYTES);
  const ofAll = Number(settings['replica.fetch.response.max.bytes'] ?? FETCH_BYTES);
  const fetchBytes = Math.max(BATCH_BYTES, Math.min(ofPartition, ofAll));
  const fetchMs = FETCH_MESSAGES * (delayMinMs + delayMeanMs) + FETCH_OPERATIONS * diskMeanMs;
  return files * FILE_OPERATIONS * diskMeanMs + Math.ceil(bytes / fetchBytes) * fetchMs;
}

/** By default. */
const LAG_MAX_MS = 10_000;

/** By default. */
const QUORUM_FETCH_TIMEOUT_MS = 2_000;

/** Silence of a controller before another one is sought. */
export function quorumFetchTimeoutMs({ options }: SimWorld): number {
  return Number(options.settings['controller.quorum.fetch.timeout.ms'] ?? QUORUM_FETCH_TIMEOUT_MS);
}

/** How long a follower may be behind and in sync. */
export function lagMaxMs({ options }: SimWorld): number {
  return Number(options.settings['replica.lag.time.max.ms'] ?? LAG_MAX_MS);
}
