import type { NodeId, Offset } from '../../base/index.ts';
import type { Outcome, PartitionRef } from './common.ts';

/** Asks what the stored batches of one replica come to. Any broker passes it on to the one that is named. */
export interface LogDigestRequest extends PartitionRef {
  readonly brokerId: NodeId;
  /** Batches that begin in [fromOffset, toOffset). Both equal: nothing is read, the offsets are the answer. */
  readonly fromOffset: Offset;
  readonly toOffset: Offset;
  /** The digest ends with the batch that reaches it; 0: as the broker likes. */
  readonly maxBytes: number;
}

export interface LogDigestReply extends Outcome {
  readonly brokerId: NodeId;
  readonly logStartOffset: Offset;
  /** Everything below it is committed and in the files of this replica. -1 on error. */
  readonly highWatermark: Offset;
  /** Where the digest ends: toOffset, or less. */
  readonly nextOffset: Offset;
  readonly bytes: number;
  readonly batches: number;
  /** SHA-256 of the batches as stored, 64 hex digits; empty on error. */
  readonly digest: string;
  /** Of the segment that holds fromOffset; -1 on error. */
  readonly segmentBaseOffset: Offset;
}
