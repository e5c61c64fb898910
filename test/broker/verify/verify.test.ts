import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/base/index.ts';
import { verifyLog } from '../../../src/client/admin/verify-log.ts';
import type { LogVerdict } from '../../../src/client/index.ts';
import { BatchBuilder, batches, writeInt32 } from '../../../src/log/record/index.ts';
import { TestCluster } from '../cluster-fixture.ts';

const SEGMENT_BYTES = 2000;
const RECORDS = 60;

/** Three brokers, one partition with several closed segments on each, all committed. */
async function cluster(properties: Record<string, string> = {}): Promise<TestCluster> {
  const made = await new TestCluster({
    controllers: 1,
    brokers: 3,
    properties: { 'log.scrub.bytes.per.second': '0', ...properties },
  }).start();
  const { admin, broker } = made.client(1);
  const topic = {
    name: 't',
    partitions: -1,
    replicationFactor: -1,
    assignments: [[1, 2, 3]],
    configs: { 'segment.bytes': String(SEGMENT_BYTES) },
  };
  await made.run(admin.createTopics({ topics: [topic], validateOnly: false, timeoutMs: 10_000 }, {}));
  for (let i = 0; i < RECORDS; i++) {
    const builder = new BatchBuilder({ compression: 'none' });
    builder.append({ value: Buffer.alloc(200, i), timestampMs: 1000 + i });
    const partitions = [{ topic: 't', partition: 0, batch: builder.build() }];
    const request = { clientId: 'test', acks: -1, timeoutMs: 5000, plain: [], forwarded: false } as const;
    const reply = await made.run(broker.produce({ ...request, correlationId: i, partitions }, {}));
    expect(reply.partitions[0]?.error).toBe('NONE');
  }
  const bounds = () => made.run(verify(made));
  for (let i = 0; (await bounds()).toOffset < RECORDS && i < 20; i++)
    await made.scheduler.runUntil(() => false, 500);
  return made;
}

const verify = (made: TestCluster, via = 1): Promise<LogVerdict> =>
  verifyLog(
    { topic: 't', partition: 0, replicas: [1, 2, 3] },
    { ask: (request) => made.client(via).admin.logDigest(request, { timeoutMs: 5000 }) },
  );

/** Path of the n-th segment of t-0 on a broker. */
function segmentOf(made: TestCluster, id: number, n: number): string {
  const paths = made.get(id).environment.files.paths();
  return paths.filter((path) => path.includes('/t-0/') && path.endsWith('.log'))[n] ?? '';
}

describe('three replicas', () => {
  it('that copied from one another are equal, whichever broker is asked', async () => {
    const made = await cluster();
    for (const via of [1, 2, 3])
      expect(await made.run(verify(made, via))).toMatchObject({
        kind: 'equal',
        fromOffset: 0,
        toOffset: RECORDS,
        compared: [1, 2, 3],
        problems: [],
      });
    expect(segmentOf(made, 2, 3)).not.toBe('');
  });

  it('of which one has a turned bit on its disk: it is named, with file and place, and takes its log offline', async () => {
    const made = await cluster();
    const path = segmentOf(made, 3, 1);
    made.get(3).environment.files.flipBit(path, 150 * 8);
    const verdict = await made.run(verify(made));
    expect(verdict).toMatchObject({
      compared: [1, 2],
      problems: [{ brokerId: 3, error: 'KAFKA_STORAGE_ERROR' }],
    });
    expect(verdict.problems[0]?.message).toContain(
      `${path.split('/').slice(-2).join('/')} is damaged at byte`,
    );
    expect(made.get(3).environment.logger.find('log is offline')).toHaveLength(1);
  });

  it('of which one has other records that look right: the first that differs and the odd one are named', async () => {
    const made = await cluster();
    const path = segmentOf(made, 2, 2);
    let offset = -1;
    made.get(2).environment.files.damage(path, (bytes) => {
      const changed = Uint8Array.from(bytes);
      const batch = [...batches(changed)][2];
      if (batch === undefined) throw new Error('the segment has three batches');
      offset = batch.header.baseOffset;
      batch.bytes[100] = 77;
      writeInt32(batch.bytes, 17, crc32c(batch.bytes.subarray(21)) | 0);
      return changed;
    });
    const verdict = await made.run(verify(made, 3));
    expect(verdict).toMatchObject({ kind: 'differs', difference: { offset, odd: [2] } });
    expect(verdict.difference?.replicas.map(({ segment }) => segment)).toEqual(
      [1, 2, 3].map(() => path.split('/').slice(-2).join('/')),
    );
  });

  it('of which one is down: it is named, and the others are compared', async () => {
    const made = await cluster();
    made.kill(2);
    const verdict = await made.run(verify(made));
    expect(verdict).toMatchObject({ kind: 'equal', compared: [1, 3] });
    expect(verdict.problems).toMatchObject([{ brokerId: 2, error: 'BROKER_NOT_AVAILABLE' }]);
  });
});

describe('the scrub of a broker', () => {
  it('finds a turned bit in a closed segment of a follower', async () => {
    const made = await cluster({ 'log.scrub.bytes.per.second': '1000000', 'log.scrub.interval.ms': '60000' });
    const { environment } = made.get(3);
    const path = segmentOf(made, 3, 1);
    environment.files.flipBit(path, 150 * 8);
    const found = () => environment.logger.find('the scrub found a damaged segment');
    await made.scheduler.runUntil(() => found().length > 0, 200_000);
    expect(found()[0]?.fields).toMatchObject({ topic: 't', partition: 0, file: path });
    expect(environment.metrics.value('log_scrub_batches_bad_total')).toBe(1);
  });
});
