/** What a decision may look at beside the image and its command. */
import type { MonotonicMs, Offset, Random, Uuid } from '../../base/index.ts';
import type { Decision } from '../../machine/index.ts';
import type { MetadataRecord } from '../records/records.ts';
import type { BrokerSessions } from './broker-sessions.ts';
import type { ControllerConfig } from './config.ts';

export interface DecideContext {
  readonly nowMs: MonotonicMs;
  readonly random: Random;
  /** Offset of the entry that will hold the records of this decision. */
  readonly nextOffset: Offset;
  readonly clusterId: Uuid;
  readonly config: ControllerConfig;
  /** Read only here. */
  readonly sessions: BrokerSessions;
}

export type MetadataDecision<Reply> = Decision<MetadataRecord, Reply>;
