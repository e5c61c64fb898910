/** Histories of what clients saw, and the checker that judges them. */
export { checkHistory, HistoryChecker } from './check-history.ts';
export type * from './history.ts';
export { encodeValue, isCorrupted, readValue } from './payload.ts';
export { HistoryRecorder, type Pending } from './recorder.ts';
export {
  ANOMALY_KINDS,
  type AnomalyKind,
  type CheckOptions,
  COUNTERS,
  type CounterName,
  FINDINGS_MAX,
  type Finding,
  type TopicDemands,
  type Verdict,
} from './verdict.ts';
