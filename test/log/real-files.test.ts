import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom, TOPIC_NAME_LENGTH_MAX } from '../../src/base/index.ts';
import { SILENT } from '../../src/env/index.ts';
import { nodeFiles } from '../../src/env/node/index.ts';
import {
  DEFAULT_LOG_CONFIG,
  type LogManager,
  openLogManager,
  type PartitionLog,
} from '../../src/log/index.ts';
import { batchOf, TOPIC_ID, valuesOf } from './log-fixture.ts';

describe('a log on the real file system', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(`${tmpdir()}/quorate-log-`);
  });
  afterEach(() => rm(directory, { recursive: true }));

  const config = { ...DEFAULT_LOG_CONFIG, segmentBytes: 4000, indexIntervalBytes: 200 };
  const open = async (): Promise<{ manager: LogManager; log: PartitionLog }> => {
    const manager = await openLogManager({
      directories: [{ path: `${directory}/data` }],
      environment: { files: nodeFiles(), logger: SILENT, random: new SeededRandom(1) },
      defaults: config,
      tailCacheBytes: 0,
    });
    return { manager, log: manager.find('t', 3) ?? (await manager.create('t', 3, TOPIC_ID, config)) };
  };
  const valuesIn = async (log: PartitionLog): Promise<string[]> => {
    const values: string[] = [];
    while (values.length < log.logEndOffset) {
      const from = values.length;
      const read = await log.read(from, { maxBytes: 700, upperBound: log.logEndOffset, atLeastOne: true });
      values.push(...valuesOf(read, from));
    }
    return values;
  };

  it('keeps what was appended through rolls, a clean stop and a cut', async () => {
    const first = await open();
    const given = Array.from({ length: 200 }, (_, i) => `value ${i}`);
    for (const value of given) first.log.appendAsLeader(batchOf([value]), { leaderEpoch: 1, nowMs: 0 });
    await first.log.whenFlushed(200);
    expect(await valuesIn(first.log)).toEqual(given);
    await first.manager.close({ brokerEpoch: 4 });
    const second = await open();
    expect(second.manager.cleanShutdownEpoch).toBe(4);
    expect(await valuesIn(second.log)).toEqual(given);
    await second.log.truncateTo(77);
    expect(await valuesIn(second.log)).toEqual(given.slice(0, 77));
    second.log.appendAsLeader(batchOf(['new']), { leaderEpoch: 2, nowMs: 0 });
    await second.log.whenFlushed(78);
    await second.manager.close({ brokerEpoch: 5 });
    const third = await open();
    expect(await valuesIn(third.log)).toEqual([...given.slice(0, 77), 'new']);
    await third.manager.close({ brokerEpoch: 6 });
  });

  it('has the files and names of Kafka, its text files with a checksum', async () => {
    const { manager, log } = await open();
    for (let i = 0; i < 90; i++) log.appendAsLeader(batchOf([`value ${i}`]), { leaderEpoch: 1, nowMs: 0 });
    await log.whenFlushed(90);
    log.setHighWatermark(88);
    await manager.close({ brokerEpoch: 9 });
    expect(await readdir(`${directory}/data/t-3`)).toEqual([
      '00000000000000000000.index',
      '00000000000000000000.log',
      '00000000000000000000.timeindex',
      '00000000000000000052.index',
      '00000000000000000052.log',
      '00000000000000000052.snapshot',
      '00000000000000000052.timeindex',
      '00000000000000000090.snapshot',
      'leader-epoch-checkpoint',
      'partition.metadata',
    ]);
    const text = (name: string): Promise<string> => readFile(`${directory}/data/${name}`, 'utf8');
    expect(await text('t-3/partition.metadata')).toBe(
      `version: 0\ntopic_id: ${TOPIC_ID}\ncrc32c: 86eccc1e\n`,
    );
    expect(await text('replication-offset-checkpoint')).toBe('1\n1\nt 3 88\ncrc32c 5adaec14\n');
    expect(await text('recovery-point-offset-checkpoint')).toBe('1\n1\nt 3 90\ncrc32c 628fbdd2\n');
    expect(await text('log-start-offset-checkpoint')).toBe('1\n1\nt 3 0\ncrc32c c410087c\n');
    expect(JSON.parse(await text('.kafka_cleanshutdown'))).toEqual({ version: 0, brokerEpoch: 9 });
  });

  it('of a topic with the longest name can be set aside and deleted', async () => {
    const { manager } = await open();
    const topic = 'x'.repeat(TOPIC_NAME_LENGTH_MAX);
    const log = await manager.create(topic, 12, TOPIC_ID, config);
    expect(await manager.setAside(log)).toContain('-stray');
    await manager.create(topic, 12, TOPIC_ID, config);
    await manager.delete(topic, 12);
    expect((await readdir(`${directory}/data`)).filter((name) => name.startsWith('x'))).toEqual([
      expect.stringMatching(/-stray$/),
    ]);
    await manager.close({ brokerEpoch: 4 });
  });
});
