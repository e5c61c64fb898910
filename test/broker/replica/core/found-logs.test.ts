import { describe, expect, it } from 'vitest';
import { type NodeId, type Uuid, ZERO_UUID } from '../../../../src/base/index.ts';
import { judgeFoundLogs } from '../../../../src/broker/replica/core/found-logs.ts';
import { LOST_DIRECTORY, UNASSIGNED_DIRECTORY } from '../../../../src/metadata/index.ts';

const [A, B, C] = ['AAAAAAAAAAAAAAAAAAAAQQ', 'BBBBBBBBBBBBBBBBBBBBQQ', 'CCCCCCCCCCCCCCCCCCCCQQ'];
const OURS: Uuid = 'b3JkZXJzLW9yZGVycy1vcg';
const OLD: Uuid = 'b2xkLW9sZC1vbGQtb2xkLQ';

/** The partition of OURS, whose replicas are brokers 1 and 2; `named` is the directory of broker 1. */
function named(directory: Uuid = UNASSIGNED_DIRECTORY, replicas: NodeId[] = [2, 1]) {
  return {
    topicId: OURS,
    registration: {
      replicas,
      isr: [2],
      addingReplicas: [],
      removingReplicas: [],
      leader: 2,
      leaderRecoveryState: 'recovered' as const,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: replicas.map((id) => (id === 1 ? directory : UNASSIGNED_DIRECTORY)),
    },
  };
}

const judge = (logs: readonly (readonly [Uuid, Uuid | undefined])[], partition = named()) =>
  judgeFoundLogs(
    logs.map(([topicId, directoryId]) => ({ topicId, directoryId })),
    partition,
    1,
  );

describe('the only log of its name', () => {
  it('is the replica, wherever it is and whatever is damaged', () => {
    for (const directory of [A, B, LOST_DIRECTORY, UNASSIGNED_DIRECTORY])
      for (const topicId of [OURS, ZERO_UUID])
        expect(judge([[topicId, A]], named(directory))).toEqual(['replica']);
    expect(judge([[OURS, undefined]])).toEqual(['replica']);
  });

  it('is nobody’s when the metadata do not know its topic', () => {
    expect(judge([[OLD, A]])).toEqual(['unknown-topic']);
    expect(judgeFoundLogs([{ topicId: OLD, directoryId: A }], undefined, 1)).toEqual(['unknown-topic']);
  });

  it('is a stray when this broker is no replica', () => {
    expect(judge([[OURS, A]], named(A, [2]))).toEqual(['no-replica']);
  });
});

describe('of several logs of one name', () => {
  it('those of a topic that is gone do not count', () => {
    expect(
      judge([
        [OLD, A],
        [OURS, B],
        [OLD, C],
      ]),
    ).toEqual(['unknown-topic', 'replica', 'unknown-topic']);
  });

  it('the one in the directory that the metadata name is the replica, also when it is damaged', () => {
    for (const [first, second] of [
      [OURS, OURS],
      [ZERO_UUID, OURS],
      [OURS, ZERO_UUID],
    ] as const) {
      const logs = [
        [first, A],
        [second, B],
      ] as const;
      expect(judge(logs, named(A))).toEqual(['replica', 'outdated']);
      expect(judge(logs, named(B))).toEqual(['outdated', 'replica']);
    }
  });

  it('none is when the metadata name none of their directories', () => {
    for (const directory of [C, LOST_DIRECTORY, UNASSIGNED_DIRECTORY])
      expect(
        judge(
          [
            [OURS, A],
            [OURS, B],
          ],
          named(directory),
        ),
      ).toEqual(['twin', 'twin']);
    expect(
      judge([
        [OURS, undefined],
        [OURS, undefined],
      ]),
    ).toEqual(['twin', 'twin']);
  });

  it('all are strays when this broker is no replica', () => {
    expect(
      judge(
        [
          [OURS, A],
          [OURS, B],
        ],
        named(A, [2]),
      ),
    ).toEqual(['no-replica', 'no-replica']);
  });
});
