import type { Offset } from '../../base/index.ts';

/** How one cleaning of one log ended. */
export type CleaningOutcome =
  | {
      readonly kind: 'cleaned';
      /** It was clean below it before. */
      readonly from: Offset;
      /** The log is clean below it now. */
      readonly firstDirtyOffset: Offset;
      readonly bytesBefore: number;
      readonly bytesAfter: number;
      readonly recordsBefore: number;
      readonly recordsAfter: number;
      /** Records without a key, from before the topic was compacted. */
      readonly keylessDropped: number;
      /** Batches that cannot be opened, and stay. */
      readonly unreadable: number;
      /** Of the memory for keys, 0 to 1. */
      readonly keyMapUsed: number;
    }
  /** The log was cut or closed meanwhile; what was swapped until then is good. */
  | { readonly kind: 'given-up' }
  /** The memory does not hold the keys of the first batch. */
  | { readonly kind: 'no-room'; readonly records: number };

export type CleanedOutcome = Extract<CleaningOutcome, { kind: 'cleaned' }>;
