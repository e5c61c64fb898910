import { describe, expect, it } from 'vitest';
import { drawOptions } from '../../src/testing/sim/cluster/options.ts';
import { judgeAcknowledged, judgeSynced } from '../../src/testing/sim/cluster/workload/acknowledged.ts';

const TOPIC = { name: 't', partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } };
const TOLD = {
  topic: 't',
  partition: 0,
  offset: 5,
  count: 2,
  leaderEpoch: 3,
  replicas: [1, 2],
  synced: true,
  logAppendTimeMs: -1,
};

/** What is said of an acknowledgement, where so much is committed, in that epoch. */
function judged(
  told: Partial<typeof TOLD>,
  committed = 7,
  epoch: number | undefined = 3,
  configs = {},
): string {
  const failures: unknown[] = [];
  const topics = [{ ...TOPIC, configs: { ...TOPIC.configs, ...configs } }];
  const world = {
    options: { ...drawOptions(1), topics },
    committedEnd: () => committed,
    committedEpoch: () => epoch,
    fail: (error: unknown) => void failures.push(error),
  };
  judgeAcknowledged(world, [{ ...TOLD, ...told }]);
  return failures.map((error) => String(error)).join();
}

describe('an acknowledgement by all', () => {
  it('is of what is committed', () => {
    expect(judged({})).toBe('');
    expect(judged({}, 6)).toContain('what is acknowledged by all is committed');
    expect(judged({}, 6, 3, { 'write.caching': 'true' })).toBe('');
  });

  it('is of what lies there, in the leader epoch it names', () => {
    expect(judged({ leaderEpoch: 2 })).toContain('what is acknowledged lies where it says');
    expect(judged({ leaderEpoch: -1, offset: -1 })).toBe('');
  });

  it('names as many replicas as min.insync.replicas asks for', () => {
    expect(judged({ replicas: [1] })).toContain('min.insync.replicas acknowledge');
  });
});

describe('an acknowledgement as synced', () => {
  /** What is said of it, where the leader of an epoch has flushed so much. */
  function judgedSynced(told: Partial<typeof TOLD>, flushedOffset: number, leaderEpoch = 3): string {
    const failures: unknown[] = [];
    const leading = { state: { nodeId: 1, leaderEpoch }, log: { flushedOffset } };
    const world = {
      findLeading: () => leading as never,
      fail: (error: unknown) => void failures.push(error),
    };
    judgeSynced(world, [{ ...TOLD, ...told }]);
    return failures.map((error) => String(error)).join();
  }

  it('is of what the leader has on its disk', () => {
    expect(judgedSynced({}, 7)).toBe('');
    expect(judgedSynced({}, 6)).toContain('what is acknowledged as synced is on a disk');
    expect(judgedSynced({ synced: false }, 6)).toBe('');
  });

  it('says nothing of a leader of another epoch, or of who is not named', () => {
    expect(judgedSynced({}, 6, 4)).toBe('');
    expect(judgedSynced({ replicas: [2] }, 6)).toBe('');
  });
});
