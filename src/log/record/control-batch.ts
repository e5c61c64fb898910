import type { ProducerId, WallMs } from '../../base/index.ts';
import { BatchBuilder } from './batch-builder.ts';
import { readInt16, writeInt16, writeInt32 } from './bytes.ts';
import { decodeRecords } from './decode-records.ts';

/**
 * Control batches: one record, never compressed, whose key is `version i16 = 0, type i16`. They take an
 * offset and are never shown to an application. Source: Kafka's ControlRecordType, KIP-98.
 */
export const CONTROL_TYPES = ['abort', 'commit', 'leader-change'] as const;

/** 'other': a type this version does not know; readers skip it. */
export type ControlType = (typeof CONTROL_TYPES)[number] | 'other';

/** The end of a transaction, as the coordinator writes it to each partition of it. 78 bytes. */
export function buildTransactionMarker(marker: {
  readonly type: 'abort' | 'commit';
  readonly producerId: ProducerId;
  readonly producerEpoch: number;
  readonly coordinatorEpoch: number;
  readonly timestampMs: WallMs;
}): Uint8Array {
  const value = new Uint8Array(6);
  writeInt32(value, 2, marker.coordinatorEpoch);
  const { producerId, producerEpoch } = marker;
  const builder = new BatchBuilder({
    compression: 'none',
    producerId,
    producerEpoch,
    transactional: true,
    control: true,
  });
  builder.append({ key: controlKey(marker.type), value, headers: [], timestampMs: marker.timestampMs });
  return builder.build();
}

function controlKey(type: (typeof CONTROL_TYPES)[number]): Uint8Array {
  const key = new Uint8Array(4);
  writeInt16(key, 2, CONTROL_TYPES.indexOf(type));
  return key;
}

/** What the control batch says; its header must have the control bit. Throws like decodeRecords. */
export function controlTypeOf(batch: Uint8Array): ControlType {
  const [record] = decodeRecords(batch, { inflatedBytesMax: 1 });
  return toControlType(record?.key);
}

/** What a record of a control batch says by its key. */
export function toControlType(key: Uint8Array | undefined): ControlType {
  if (key === undefined || key.length < 4) return 'other';
  return CONTROL_TYPES[readInt16(key, 2)] ?? 'other';
}
