/**
 * Who a batch says it is from, and its place in that producer's order. The broker refuses gaps and knows
 * repetitions by it.
 *
 * Identities are per partition: the epoch of one partition may be raised alone. Source: KIP-98, KIP-360.
 */
import { crc32c, type ProducerId, toBuffer } from '../../base/index.ts';

export interface ProducerIdentity {
  readonly producerId: ProducerId;
  readonly producerEpoch: number;
}

export const PRODUCER_EPOCH_MAX = 32_767;
const SEQUENCE_MODULUS = 2 ** 31;

/** The sequence `count` records later; after 2^31 - 1 comes 0. */
export function advanceSequence(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCE_MODULUS;
}

const CRC_AT = 17;
const CRC_START = 21;
const PRODUCER_ID_AT = 43;
const PRODUCER_EPOCH_AT = 51;
const BASE_SEQUENCE_AT = 53;

/**
 * Writes identity and sequence into a finished batch (format: log/record) and computes the CRC anew, in
 * place.
 */
export function stampIdentity(batch: Uint8Array, identity: ProducerIdentity, baseSequence: number): void {
  const buffer = toBuffer(batch);
  buffer.writeInt32BE(Math.floor(identity.producerId / 2 ** 32), PRODUCER_ID_AT);
  buffer.writeUInt32BE(identity.producerId % 2 ** 32, PRODUCER_ID_AT + 4);
  buffer.writeInt16BE(identity.producerEpoch, PRODUCER_EPOCH_AT);
  buffer.writeInt32BE(baseSequence, BASE_SEQUENCE_AT);
  buffer.writeUInt32BE(crc32c(buffer.subarray(CRC_START)), CRC_AT);
}
