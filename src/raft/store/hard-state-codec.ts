/**
 * One copy of the hard state, 512 bytes: one sector, which a disk writes whole or not at all.
 *
 *   magic:u32='QHS1' version:u16=1 length:u16 generation:u64 crc:u32
 *   clusterId:16 directoryId:16 nodeId:u32 epoch:u32 leaderId:i32 tailFloor:u64
 *   votedId:i32(-1 none) votedDirectory:16 agreedClusterId:16(zeros: none)
 *   voters:u8 { id:u32 directory:16 }*        zeros to 512
 *
 * length counts the bytes behind crc; crc is CRC-32C of everything before it and of those bytes. Big-endian.
 */
import { assert, crc32c, type Uuid, uuidFromBytes, uuidToBytes, ZERO_UUID } from '../../base/index.ts';
import type { VoterKey } from '../core/messages.ts';
import type { HardState, QuorumIdentity } from './quorum-store.ts';

export const COPY_BYTES = 512;
const MAGIC = 0x51485331;
const VERSION = 1;
const HEADER_BYTES = 20;
const CRC_AT = 16;
const FIXED_BYTES = 89;
const VOTER_BYTES = 20;
/** What fits a sector; more voters than any quorum should have. */
export const VOTERS_MAX = Math.floor((COPY_BYTES - HEADER_BYTES - FIXED_BYTES) / VOTER_BYTES);

export interface HardStateCopy {
  readonly generation: number;
  readonly identity: QuorumIdentity;
  readonly state: HardState;
}

export function encodeHardState(copy: HardStateCopy): Buffer {
  const { identity, state } = copy;
  assert(state.voters.length <= VOTERS_MAX, 'the voters fit one sector', { voters: state.voters.length });
  const bytes = Buffer.alloc(COPY_BYTES);
  const length = FIXED_BYTES + state.voters.length * VOTER_BYTES;
  bytes.writeUInt32BE(MAGIC, 0);
  bytes.writeUInt16BE(VERSION, 4);
  bytes.writeUInt16BE(length, 6);
  bytes.writeBigUInt64BE(BigInt(copy.generation), 8);
  let at = HEADER_BYTES;
  at += uuidToBytes(identity.clusterId).copy(bytes, at);
  at += uuidToBytes(identity.directoryId).copy(bytes, at);
  at = bytes.writeUInt32BE(identity.nodeId, at);
  at = bytes.writeUInt32BE(state.epoch, at);
  at = bytes.writeInt32BE(state.leaderId, at);
  at = bytes.writeBigUInt64BE(BigInt(state.tailFloor), at);
  at = writeVoter(bytes, at, state.votedFor ?? { id: -1, directoryId: ZERO_UUID });
  at += uuidToBytes(state.clusterId ?? ZERO_UUID).copy(bytes, at);
  at = bytes.writeUInt8(state.voters.length, at);
  for (const voter of state.voters) at = writeVoter(bytes, at, voter);
  bytes.writeUInt32BE(checksum(bytes, length), CRC_AT);
  return bytes;
}

/** Undefined when the bytes are not what {@link encodeHardState} wrote. */
export function decodeHardState(bytes: Buffer): HardStateCopy | undefined {
  if (bytes.byteLength !== COPY_BYTES || bytes.readUInt32BE(0) !== MAGIC) return undefined;
  const length = bytes.readUInt16BE(6);
  if (bytes.readUInt16BE(4) !== VERSION || length > COPY_BYTES - HEADER_BYTES) return undefined;
  if (bytes.readUInt32BE(CRC_AT) !== checksum(bytes, length)) return undefined;
  const voted = readVoter(bytes, 72);
  const voters: VoterKey[] = [];
  for (let i = 0; i < bytes.readUInt8(108); i++) voters.push(readVoter(bytes, 109 + i * VOTER_BYTES));
  const clusterId = readUuid(bytes, 92);
  return {
    generation: Number(bytes.readBigUInt64BE(8)),
    identity: {
      clusterId: readUuid(bytes, 20),
      directoryId: readUuid(bytes, 36),
      nodeId: bytes.readUInt32BE(52),
    },
    state: {
      epoch: bytes.readUInt32BE(56),
      leaderId: bytes.readInt32BE(60),
      tailFloor: Number(bytes.readBigUInt64BE(64)),
      ...(voted.id === -1 ? {} : { votedFor: voted }),
      voters,
      ...(clusterId === ZERO_UUID ? {} : { clusterId }),
    },
  };
}

function checksum(bytes: Buffer, length: number): number {
  return crc32c(bytes.subarray(HEADER_BYTES, HEADER_BYTES + length), crc32c(bytes.subarray(0, CRC_AT)));
}

function writeVoter(bytes: Buffer, at: number, voter: VoterKey): number {
  bytes.writeInt32BE(voter.id, at);
  return at + 4 + uuidToBytes(voter.directoryId).copy(bytes, at + 4);
}

function readVoter(bytes: Buffer, at: number): VoterKey {
  return { id: bytes.readInt32BE(at), directoryId: readUuid(bytes, at + 4) };
}

function readUuid(bytes: Buffer, at: number): Uuid {
  return uuidFromBytes(bytes.subarray(at, at + 16));
}
