import { describe, expect, it } from 'vitest';
import { CorruptionError, SeededRandom } from '../../../src/base/index.ts';
import type { PartitionLog } from '../../../src/log/index.ts';
import { HOUR_MS, ScrubWorld } from './scrub-world.ts';

const closedFiles = (log: PartitionLog): string[] => log.closed.list().map(({ segment }) => segment.logPath);

async function scrubbed(world: ScrubWorld): Promise<void> {
  world.startScrub();
  await world.round();
}

describe('a round', () => {
  it('reads every byte of every closed segment once, and finds nothing in sound logs', async () => {
    const world = await ScrubWorld.open();
    const logs = [
      await world.filled('a', 40),
      await world.filled('b', 25),
      await world.filled('b', 3, { partition: 1 }),
    ];
    await scrubbed(world);
    const closedBytes = logs
      .flatMap((log) => log.closed.list())
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(closedBytes).toBeGreaterThan(5000);
    expect(world.metric('log_scrub_bytes_total')).toBe(closedBytes);
    expect(world.metric('log_scrub_batches_bad_total')).toBe(0);
    expect(world.metric('log_scrub_indexes_renewed_total')).toBe(0);
    expect(logs.every(({ failure }) => failure === undefined)).toBe(true);
    await world.stop();
  });

  it('begins anew when the interval is over', async () => {
    const world = await ScrubWorld.open();
    await world.filled('a', 40);
    await scrubbed(world);
    const bytes = world.metric('log_scrub_bytes_total');
    const endedMs = world.lastRoundEndMs;
    await world.round();
    expect(world.metric('log_scrub_bytes_total')).toBe(2 * bytes);
    expect(world.lastRoundEndMs - endedMs).toBeGreaterThan(HOUR_MS - 60_000);
    await world.stop();
  });

  it('does not wait for a date that was set back', async () => {
    const world = await ScrubWorld.open();
    await world.filled('a', 40);
    await scrubbed(world);
    world.environment.clock.skewMs = -30 * 24 * HOUR_MS;
    const bytes = world.metric('log_scrub_bytes_total');
    await world.environment.scheduler.run(2 * HOUR_MS);
    expect(world.metric('log_scrub_bytes_total')).toBeGreaterThanOrEqual(2 * bytes);
    await world.stop();
  });

  it('reads no faster than the limit', async () => {
    const world = await ScrubWorld.open({
      config: { segmentBytes: 1_000_000 },
      settings: { bytesPerSecond: 50_000 },
    });
    await world.filled('a', 60, { bytes: 100_000 });
    const beganMs = world.environment.scheduler.nowMs;
    await scrubbed(world);
    const tookMs = world.environment.scheduler.nowMs - beganMs;
    expect(world.metric('log_scrub_bytes_total')).toBeGreaterThan(5_000_000);
    expect((world.metric('log_scrub_bytes_total') - 256 * 1024) / (tookMs / 1000)).toBeLessThanOrEqual(
      50_000,
    );
    await world.stop();
  });

  it('is spread over its interval when there is much to read', async () => {
    const world = await ScrubWorld.open({
      config: { segmentBytes: 4_000_000 },
      settings: { intervalMs: 60_000 },
    });
    await world.filled('a', 250, { bytes: 100_000 });
    const beganMs = world.environment.scheduler.nowMs;
    await scrubbed(world);
    const tookMs = world.environment.scheduler.nowMs - beganMs;
    expect(tookMs).toBeGreaterThan(50_000);
    expect(tookMs).toBeLessThan(90_000);
    await world.stop();
  });

  it('goes on after a restart where it was', async () => {
    const world = await ScrubWorld.open({
      config: { segmentBytes: 100_000 },
      settings: { bytesPerSecond: 20_000 },
    });
    await world.filled('a', 30, { bytes: 40_000 });
    const total = (await world.log('a')).closed.list().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    world.startScrub();
    await world.environment.scheduler.runUntil(
      () => world.metric('log_scrub_bytes_total') > total / 2,
      HOUR_MS,
    );
    await world.stop();
    const before = world.metric('log_scrub_bytes_total');
    world.environment = world.environment.kill();
    await world.openLogs();
    await scrubbed(world);
    const again = before + world.metric('log_scrub_bytes_total') - total;
    expect(again).toBeGreaterThanOrEqual(0);
    // The segment that was being read is read again.
    expect(again).toBeLessThanOrEqual(100_000);
    await world.stop();
  });

  it('does not happen when the rate is 0', async () => {
    const world = await ScrubWorld.open({ settings: { bytesPerSecond: 0 } });
    await world.filled('a', 40);
    world.startScrub();
    expect(world.scrubber).toBeUndefined();
    await world.stop();
  });
});

describe('damage', () => {
  it('of any bit of a closed segment is found within one round, and its log alone goes offline', async () => {
    const random = new SeededRandom(11, 'bits');
    for (let trial = 0; trial < 300; trial++) {
      const world = await ScrubWorld.open({ seed: trial + 1 });
      const log = await world.filled('a', 24);
      const other = await world.filled('b', 12);
      const files = closedFiles(log);
      const file = files[random.integer(0, files.length)] ?? '';
      const { sizeBytes } = (await world.environment.files.stat(file)) ?? { sizeBytes: 0 };
      const bit = random.integer(0, sizeBytes * 8);
      world.environment.files.flipBit(file, bit);
      await scrubbed(world);
      expect(log.failure, `bit ${bit} of ${file}`).toBeInstanceOf(CorruptionError);
      expect(log.failure).toMatchObject({ file });
      expect(other.failure).toBeUndefined();
      expect(world.metric('log_scrub_batches_bad_total')).toBe(1);
      expect(world.environment.logger.find('the scrub found a damaged segment')[0]?.fields).toMatchObject({
        topic: 'a',
        partition: 0,
        file,
        position: expect.any(Number),
        expected: expect.any(String),
        found: expect.any(String),
      });
      await world.stop();
    }
  });

  it('of any bit that no CRC covers is found too, in the first, a middle and the last batch', async () => {
    const uncovered = 21 * 8;
    for (const at of [0, 1, 'last'] as const)
      for (let bit = 0; bit < uncovered; bit++) {
        const world = await ScrubWorld.open();
        const log = await world.filled('a', 12, { epochOf: () => 0 });
        const closed = log.closed.list()[1];
        if (closed === undefined) throw new Error('there are closed segments');
        const file = closed.segment.logPath;
        const count = closed.endOffset - closed.baseOffset;
        const position = (closed.sizeBytes / count) * (at === 'last' ? count - 1 : at);
        world.environment.files.flipBit(file, position * 8 + bit);
        await scrubbed(world);
        expect(log.failure, `bit ${bit} of batch ${at}`).toMatchObject({ file });
        await world.stop();
      }
  });

  it.each([
    ['is missing', (world: ScrubWorld, file: string) => world.environment.files.remove(file), 0],
    [
      'ends early',
      async (world: ScrubWorld, file: string) =>
        world.environment.files.damage(file, (bytes) => bytes.subarray(0, bytes.length - 5)),
      undefined,
    ],
  ])('is a closed segment whose file %s', async (_, spoil, position) => {
    const world = await ScrubWorld.open();
    const log = await world.filled('a', 24);
    const file = closedFiles(log)[2] ?? '';
    await world.run(Promise.resolve(spoil(world, file)));
    await scrubbed(world);
    expect(log.failure).toMatchObject({ file, ...(position === undefined ? {} : { position }) });
    await world.stop();
  });

  it('of a disk that cannot read takes the log offline, of one that could at the second attempt not', async () => {
    for (const times of [1, 2]) {
      const world = await ScrubWorld.open();
      const log = await world.filled('a', 24);
      const file = closedFiles(log)[1] ?? '';
      world.environment.files.failNext({ operation: 'read', path: file, reason: 'io-error', times });
      await scrubbed(world);
      expect(log.failure !== undefined).toBe(times === 2);
      await world.stop();
    }
  });

  it('is not what a cut that begins during the second look takes away', async () => {
    const world = await ScrubWorld.open();
    const log = await world.filled('a', 24);
    const file = closedFiles(log).at(-1) ?? '';
    const { files } = world.environment;
    files.failNext({ operation: 'read', path: file, reason: 'io-error' });
    const perform = files.perform.bind(files);
    let reads = 0;
    let cut = Promise.resolve();
    files.perform = (operation, path, effect) => {
      if (operation === 'read' && path === file && ++reads === 2) cut = log.truncateTo(2);
      return perform(operation, path, effect);
    };
    await scrubbed(world);
    await world.run(cut);
    expect(log.failure).toBeUndefined();
    expect(log.logEndOffset).toBe(2);
    await world.stop();
  });

  it('of the moment, such as too many open files, is waited out', async () => {
    const world = await ScrubWorld.open();
    const log = await world.filled('a', 24);
    const fault = { operation: 'open', path: '.log', reason: 'too-many-open-files', times: 3 } as const;
    world.environment.files.failNext(fault);
    await scrubbed(world);
    expect(log.failure).toBeUndefined();
    const closed = log.closed.list().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(world.metric('log_scrub_bytes_total')).toBe(closed);
    expect(world.reported).toHaveLength(3);
    await world.stop();
  });

  it('that lasts does not keep the round from its end', async () => {
    const world = await ScrubWorld.open();
    const log = await world.filled('a', 24);
    const [, second] = log.closed.list();
    const path = second?.segment.logPath ?? '';
    world.environment.files.failNext({ operation: 'open', path, reason: 'permission', times: 1000 });
    await scrubbed(world);
    expect(log.failure).toBeUndefined();
    const closed = log.closed.list().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(world.metric('log_scrub_bytes_total')).toBe(closed - (second?.sizeBytes ?? 0));
    await world.stop();
  });
});

describe('an index that does not fit its segment', () => {
  it.each(['index', 'timeindex'])('of kind .%s is made anew, whichever bit is wrong', async (suffix) => {
    const random = new SeededRandom(12, suffix);
    for (let trial = 0; trial < 60; trial++) {
      const world = await ScrubWorld.open({ seed: trial + 1 });
      const log = await world.filled('a', 24);
      const files = closedFiles(log).map((file) => file.replace('.log', `.${suffix}`));
      const file = files[random.integer(0, files.length)] ?? '';
      const sound = await bytesOf(world, file);
      world.environment.files.flipBit(file, random.integer(0, sound.length * 8));
      await scrubbed(world);
      expect(log.failure).toBeUndefined();
      expect(await bytesOf(world, file)).toEqual(sound);
      expect(world.metric('log_scrub_indexes_renewed_total')).toBe(1);
      await world.stop();
    }
  });

  it('is made anew when it is missing', async () => {
    const world = await ScrubWorld.open();
    const log = await world.filled('a', 24);
    const file = (closedFiles(log)[1] ?? '').replace('.log', '.timeindex');
    const sound = await bytesOf(world, file);
    await world.run(world.environment.files.remove(file));
    await scrubbed(world);
    expect(await bytesOf(world, file)).toEqual(sound);
    await world.stop();
  });

  it('stays as it is while the disk is full, and the log goes on', async () => {
    const world = await ScrubWorld.open();
    const log = await world.filled('a', 24);
    const file = (closedFiles(log)[1] ?? '').replace('.log', '.index');
    world.environment.files.flipBit(file, 3);
    world.environment.files.failNext({ operation: 'write', path: `${file}.tmp`, reason: 'disk-full' });
    await scrubbed(world);
    expect(log.failure).toBeUndefined();
    expect(world.metric('log_scrub_indexes_renewed_total')).toBe(0);
    await world.stop();
  });
});

async function bytesOf(world: ScrubWorld, path: string): Promise<Buffer> {
  const { files } = world.environment;
  const handle = await world.run(files.open(path, 'read'));
  const bytes = Buffer.alloc(await world.run(handle.sizeBytes()));
  await world.run(handle.read(bytes, 0));
  return bytes;
}
