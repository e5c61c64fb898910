import { expect, it } from 'vitest';
import { toText } from '../../src/cli/commands/log-verify.ts';
import type { LogVerdict } from '../../src/client/index.ts';

const VERDICT: LogVerdict = {
  topic: 't',
  partition: 3,
  kind: 'equal',
  fromOffset: 5,
  toOffset: 90,
  bytes: 1234,
  compared: [1, 2, 3],
  problems: [],
};

const replica = (brokerId: number, digest: string, batches = 1) => ({
  brokerId,
  digest,
  batches,
  segment: `t-3/0000000000000000007${brokerId}.log`,
});

it('equal replicas are one line', () => {
  expect(toText(VERDICT)).toEqual([
    'Topic: t\tPartition: 3\tequal\toffsets 5 to 90\treplicas 1,2,3\t1234 bytes',
  ]);
});

it('a difference names its first offset, the odd one, and the segment of each', () => {
  const replicas = [replica(1, 'aa'), replica(2, 'bb', 0), replica(3, 'aa')];
  expect(toText({ ...VERDICT, kind: 'differs', difference: { offset: 77, odd: [2], replicas } })).toEqual([
    'Topic: t\tPartition: 3\tdiffers\tfrom offset 77 on: broker 2 differs from the majority',
    '\tbroker 1\tt-3/00000000000000000071.log\tdigest aa',
    '\tbroker 2 (odd)\tt-3/00000000000000000072.log\tno batch begins there',
    '\tbroker 3\tt-3/00000000000000000073.log\tdigest aa',
  ]);
});

it('without a majority nobody is blamed', () => {
  const replicas = [replica(1, 'aa'), replica(2, 'bb')];
  const [head] = toText({ ...VERDICT, kind: 'differs', difference: { offset: 77, odd: [], replicas } });
  expect(head).toBe('Topic: t\tPartition: 3\tdiffers\tfrom offset 77 on: there is no majority, look at each');
});

it('who cannot be compared is named, and whether anything was', () => {
  const problems = [{ brokerId: 2, error: 'KAFKA_STORAGE_ERROR', message: 't-3/0.log is damaged at byte 7' }];
  expect(toText({ ...VERDICT, kind: 'alone', compared: [1], problems })).toEqual([
    'Topic: t\tPartition: 3\tnot compared\tonly broker 1 answers',
    '\tbroker 2 cannot be compared\tKAFKA_STORAGE_ERROR: t-3/0.log is damaged at byte 7',
  ]);
  expect(toText({ ...VERDICT, kind: 'alone', compared: [1] })).toEqual([
    'Topic: t\tPartition: 3\tnot compared\tthere is one replica',
  ]);
});
