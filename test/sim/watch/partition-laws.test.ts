import { describe, expect, it } from 'vitest';
import { ZERO_UUID } from '../../../src/base/index.ts';
import { BatchBuilder, stampBatch } from '../../../src/log/record/index.ts';
import { CommittedBatches } from '../../../src/testing/sim/cluster/watch/committed-batches.ts';
import { DurableLog } from '../../../src/testing/sim/cluster/watch/durable-log.ts';
import {
  PartitionLaws,
  PartitionWatch,
  ReplicaLife,
  type ReplicaSight,
} from '../../../src/testing/sim/cluster/watch/partition-laws.ts';
import { MemoryFiles } from '../../../src/testing/twins/index.ts';

const DIRECTORY = '/data/t-0';

function batch(baseOffset: number, leaderEpoch: number, text = `${baseOffset}`): Uint8Array {
  const builder = new BatchBuilder({ compression: 'none' });
  builder.append({ key: null, value: Buffer.from(text), timestampMs: 1 });
  const bytes = Buffer.from(builder.build());
  stampBatch(bytes, { baseOffset, leaderEpoch });
  return bytes;
}

/** Three disks with a replica each, and what their brokers show. */
class Scene {
  readonly files = [1, 2, 3].map(() => new MemoryFiles());
  readonly watch = new PartitionWatch(ZERO_UUID, 't-0');
  /** By broker, the partition epoch at which it left the in-sync set. */
  readonly left = new Map<number, number>();
  readonly laws = new PartitionLaws({
    disk: (id) => this.disk(id),
    isOldNews: (id, _, known) => (this.left.get(id) ?? known) > known,
    count: () => {},
    allAcks: () => true,
  });
  readonly #lives = new Map<number, ReplicaLife>();

  disk(id: number): MemoryFiles {
    return this.files[id - 1] as MemoryFiles;
  }

  async store(id: number, batches: readonly Uint8Array[], base = 0, synced = true): Promise<void> {
    const files = this.disk(id);
    await files.makeDirectory(DIRECTORY);
    const path = `${DIRECTORY}/${String(base).padStart(20, '0')}.log`;
    const handle = await files.open(path, 'create');
    await handle.truncate(0);
    await handle.write(batches, 0);
    if (synced) await handle.sync();
    for (const directory of ['/', '/data', DIRECTORY]) await files.syncDirectory(directory);
    await handle.close();
  }

  /** Its broker ends. */
  forget(id: number): void {
    this.#lives.delete(id);
  }

  see(id: number, show: Show): void {
    const sight = sightOf(id, show);
    const life = this.#lives.get(id) ?? new ReplicaLife(this.watch, sight);
    this.#lives.set(id, life);
    this.laws.see(life, sight);
  }
}

interface Show {
  readonly leaderEpoch: number;
  readonly end: number;
  readonly high: number;
  readonly leads?: boolean;
  readonly isr?: readonly number[];
  /** Of the last record below the high watermark. */
  readonly epoch?: number;
  /** The epoch in which its log goes on. */
  readonly begun?: number;
  readonly caching?: boolean;
  readonly flushed?: number;
  readonly start?: number;
  /** What it believes that another broker has flushed. */
  readonly believed?: number;
  readonly failure?: Error;
  readonly partitionEpoch?: number;
}

const SETS = new Map<string, ReplicaSight['state']['isr']>();

function sightOf(id: number, show: Show): ReplicaSight {
  const { leaderEpoch, end, high, leads, isr = [1, 2, 3], epoch = 1, caching = false } = show;
  const key = isr.join();
  const set = SETS.get(key) ?? { kind: 'committed', isr, maximal: isr, proposed: isr };
  SETS.set(key, set);
  const log = {
    epochAt: (offset: number) => (offset < end ? epoch : (show.begun ?? leaderEpoch)),
    logStartOffset: show.start ?? 0,
    logEndOffset: end,
    highWatermark: high,
    flushedOffset: show.flushed ?? end,
  };
  return {
    log: { directory: DIRECTORY, failure: show.failure, ...log },
    state: {
      nodeId: id,
      isLeader: leads ?? false,
      leaderEpoch,
      partitionEpoch: show.partitionEpoch ?? 7,
      isr: set,
      replicas: [1, 2, 3],
      effectiveMinIsr: 2,
      followers: new Map(show.believed === undefined ? [] : [[2, { flushedOffset: show.believed }]]),
      policy: { minIsr: 2, writeCaching: caching, lagMaxMs: 1 },
    },
  };
}

const two = [batch(0, 1), batch(1, 1)];

async function committedScene(): Promise<Scene> {
  const scene = new Scene();
  for (const id of [1, 2, 3]) await scene.store(id, two);
  scene.see(1, { leaderEpoch: 1, end: 2, high: 0, leads: true });
  scene.see(1, { leaderEpoch: 1, end: 2, high: 2, leads: true });
  for (const id of [2, 3]) scene.see(id, { leaderEpoch: 1, end: 2, high: 2 });
  return scene;
}

describe('the watch of a partition', () => {
  it('sees nothing where all is well', async () => {
    const scene = await committedScene();
    expect(scene.watch.committed).toBe(2);
  });

  it('sees a second leader of an epoch', async () => {
    const scene = await committedScene();
    expect(() => scene.see(2, { leaderEpoch: 1, end: 2, high: 2, leads: true })).toThrow(
      'a leader epoch has one leader',
    );
  });

  it('sees a high watermark that falls while its leader lives', async () => {
    const scene = await committedScene();
    expect(() => scene.see(1, { leaderEpoch: 1, end: 2, high: 1, leads: true })).toThrow(
      'a high watermark does not fall',
    );
  });

  it('sees committed records that are cut', async () => {
    const scene = await committedScene();
    expect(() => scene.see(2, { leaderEpoch: 1, end: 1, high: 1 })).toThrow('what was committed is not cut');
  });

  it('sees nothing wrong in the cut of one that has left the in-sync set and has not heard of it', async () => {
    const scene = await committedScene();
    scene.left.set(2, 8);
    expect(() => scene.see(2, { leaderEpoch: 1, end: 1, high: 1 })).not.toThrow();
  });

  it('sees a leader without all that was committed', async () => {
    const scene = await committedScene();
    const late = { leaderEpoch: 2, end: 1, high: 1, leads: true };
    scene.laws.see(new ReplicaLife(scene.watch, sightOf(3, { leaderEpoch: 1, end: 2, high: 2 })), {
      ...sightOf(3, { leaderEpoch: 1, end: 2, high: 2 }),
    });
    const life = new ReplicaLife(scene.watch, sightOf(3, late));
    expect(() => scene.laws.see(life, sightOf(3, late))).toThrow('a leader has all that was committed');
  });

  it('sees a leader whose log could not be opened, and lets one lead that failed later', async () => {
    const scene = await committedScene();
    const failed = { leaderEpoch: 2, high: 0, leads: true, failure: new Error('damaged') };
    expect(() => scene.see(2, { ...failed, end: 2 })).not.toThrow();
    expect(() => scene.see(3, { ...failed, end: 0, leads: false })).not.toThrow();
    expect(() => scene.see(3, { ...failed, end: 0 })).toThrow(
      'a leader whose log has failed knows of all that was committed',
    );
  });

  it('sees a high watermark that passes what too few disks have', async () => {
    const scene = new Scene();
    await scene.store(1, two);
    await scene.store(2, two, 0, false);
    expect(() => scene.see(1, { leaderEpoch: 1, end: 2, high: 2, leads: true, isr: [1, 2] })).toThrow(
      'what is committed is durable on min.insync.replicas',
    );
  });

  it('sees a high watermark that passes what a member of the in-sync set lacks', async () => {
    const scene = new Scene();
    await scene.store(1, two);
    await scene.store(2, two);
    await scene.store(3, two.slice(0, 1));
    expect(() => scene.see(1, { leaderEpoch: 1, end: 2, high: 2, leads: true })).toThrow(
      'an in-sync replica has all that was committed',
    );
  });

  it('lets a member lack it that makes its log anew and is a member only for a leader of old news', async () => {
    const scene = new Scene();
    for (const id of [1, 2]) await scene.store(id, two);
    await scene.store(3, []);
    scene.left.set(3, 8);
    expect(() => scene.see(1, { leaderEpoch: 1, end: 2, high: 2, leads: true })).not.toThrow();
    const heard = { leaderEpoch: 1, end: 2, high: 2, leads: true, partitionEpoch: 8 };
    expect(() => scene.see(1, { ...heard, isr: [1, 2] })).not.toThrow();
    expect(() => scene.see(1, heard)).toThrow('an in-sync replica has all that was committed');
  });

  it('sees a replica that joins without all that was committed', async () => {
    const scene = new Scene();
    await scene.store(1, two);
    await scene.store(2, two);
    scene.see(1, { leaderEpoch: 1, end: 2, high: 2, leads: true, isr: [1, 2] });
    expect(() => scene.see(1, { leaderEpoch: 1, end: 2, high: 2, leads: true })).toThrow(
      'an in-sync replica has all that was committed',
    );
  });

  it.each([
    ['bytes', [batch(0, 1), batch(1, 1, 'x')], 'a leader epoch and an offset name one batch'],
    ['epochs', [batch(0, 1), batch(1, 2)], 'replicas agree below the high watermark'],
  ])('sees replicas that differ in %s below the high watermark', async (_what, other, law) => {
    const scene = new Scene();
    await scene.store(1, two);
    await scene.store(2, two);
    await scene.store(3, other);
    const see = (): void => {
      scene.see(1, { leaderEpoch: 1, end: 2, high: 2, leads: true, isr: [1, 2] });
      scene.see(3, { leaderEpoch: 1, end: 2, high: 1 });
      scene.see(3, { leaderEpoch: 1, end: 2, high: 2 });
    };
    expect(see).toThrow(law);
  });

  it('sees another batch under a name that was given, long before it is committed', async () => {
    const scene = await committedScene();
    await scene.store(2, [...two, batch(2, 1, 'x')]);
    scene.see(2, { leaderEpoch: 1, end: 3, high: 2 });
    await scene.store(3, [...two, batch(2, 1, 'y')]);
    expect(() => scene.see(3, { leaderEpoch: 1, end: 3, high: 2 })).toThrow(
      'a leader epoch and an offset name one batch',
    );
  });

  it.each([
    ['starts above its high watermark', { end: 2, high: 2, start: 3 }],
    ['has a high watermark beyond its end', { end: 1, high: 2 }],
    ['has flushed more than it has', { end: 2, high: 2, flushed: 3 }],
  ])('sees a log that %s', async (_what, offsets) => {
    const scene = await committedScene();
    expect(() => scene.see(3, { leaderEpoch: 1, ...offsets })).toThrow('the offsets of a log are in order');
  });

  it('sees that less is on the disk than was flushed', async () => {
    const scene = new Scene();
    await scene.store(2, two.slice(0, 1));
    expect(() => scene.see(2, { leaderEpoch: 1, end: 2, high: 0, flushed: 2 })).toThrow(
      'what is flushed is on the disk',
    );
  });

  it('sees a leader that still has what was deleted', async () => {
    const scene = await committedScene();
    scene.watch.deleted = 1;
    scene.see(1, { leaderEpoch: 1, end: 2, high: 2, start: 1, leads: true });
    scene.see(2, { leaderEpoch: 2, end: 2, high: 2 });
    expect(() => scene.see(2, { leaderEpoch: 2, end: 2, high: 2, leads: true })).toThrow(
      'what was deleted stays deleted',
    );
  });

  it('sees a leader that begins with what its followers had in an earlier epoch', async () => {
    const scene = await committedScene();
    expect(() => scene.see(1, { leaderEpoch: 2, end: 2, high: 2, leads: true, believed: 2 })).toThrow(
      'a leader begins its epoch knowing nothing of its followers',
    );
  });

  it('sees a leader whose log does not know that an epoch begins at its end', async () => {
    const scene = await committedScene();
    expect(() => scene.see(2, { leaderEpoch: 2, begun: 1, end: 2, high: 2, leads: true })).toThrow(
      'a leader begins its epoch where its log ends',
    );
  });

  it('sees records for all that are taken when too few are in sync', async () => {
    const scene = await committedScene();
    const alone = { leaderEpoch: 1, high: 2, leads: true, isr: [1] };
    // The set became too small in the same moment.
    scene.see(1, { ...alone, end: 3, flushed: 2 });
    expect(() => scene.see(1, { ...alone, end: 4, flushed: 2 })).toThrow(
      'a leader takes nothing for all when too few are in sync',
    );
  });
});

it('the watch sees a high watermark that rises before what was cut is cut', async () => {
  const scene = await committedScene();
  scene.see(3, { leaderEpoch: 1, end: 2, high: 1 });
  expect(() => scene.see(3, { leaderEpoch: 2, end: 2, high: 2, epoch: 7 })).toThrow(
    'replicas agree below the high watermark',
  );
});

describe('the log that a disk would have', () => {
  const log = async (scene: Scene): Promise<DurableLog> => {
    const found = new DurableLog(scene.disk(1), DIRECTORY);
    found.advance();
    return found;
  };

  it('goes on from segment to segment', async () => {
    const scene = new Scene();
    await scene.store(1, two);
    await scene.store(1, [batch(2, 1)], 2);
    expect((await log(scene)).end).toBe(3);
  });

  it('ends before what is not synced, is damaged, or leaves a gap', async () => {
    const scene = new Scene();
    await scene.store(1, two, 0, false);
    expect((await log(scene)).end).toBe(0);
    await scene.store(1, [batch(0, 1), batch(2, 1)]);
    expect((await log(scene)).end).toBe(1);
    await scene.store(1, two);
    scene.disk(1).flipBit(`${DIRECTORY}/${'0'.repeat(20)}.log`, 8 * 65);
    expect((await log(scene)).end).toBe(0);
  });

  it('is found anew when it was cut and grew again', async () => {
    const scene = new Scene();
    await scene.store(1, two);
    const found = await log(scene);
    await scene.store(1, [batch(0, 1), batch(1, 2)]);
    found.advance();
    expect(found.found.map(({ epoch }) => epoch)).toEqual([1, 2]);
  });

  it('is held against all that was ever committed', async () => {
    const scene = new Scene();
    await scene.store(1, two);
    const committed = new CommittedBatches();
    committed.learn(await log(scene), 2);
    expect(committed.missing(await log(scene), 0)).toBeUndefined();
    await scene.store(1, two.slice(0, 1));
    expect(committed.missing(await log(scene), 0)).toEqual({ at: 1 });
    expect(committed.missing(await log(scene), 2)).toBeUndefined();
  });
});

describe('the watch of a partition with write caching', () => {
  const caching = async (): Promise<Scene> => {
    const scene = new Scene();
    for (const id of [1, 2]) await scene.store(id, two.slice(0, 1));
    for (const id of [1, 2])
      scene.see(id, { leaderEpoch: 1, end: 2, high: 0, leads: id === 1, caching: true });
    scene.see(1, { leaderEpoch: 1, end: 2, high: 2, leads: true, caching: true });
    return scene;
  };
  const lead = (scene: Scene, id: number, end: number): void => {
    scene.forget(id);
    scene.see(id, { leaderEpoch: 2, end, high: 0, leads: true, caching: true });
  };

  it('lets a leader lack what its disk had not when its machine lost power', async () => {
    const scene = await caching();
    scene.watch.lostTails.losePower(2, scene.disk(2));
    lead(scene, 2, 1);
    expect(scene.watch.committed).toBe(1);
  });

  it('sees a leader that lacks more than that', async () => {
    const scene = await caching();
    scene.watch.lostTails.losePower(2, scene.disk(2));
    expect(() => lead(scene, 2, 0)).toThrow('power loss takes nothing that is durable');
  });

  it('sees a leader that lacks something and lost no power, or has it again', async () => {
    const killed = await caching();
    killed.watch.lostTails.losePower(1, killed.disk(1));
    expect(() => lead(killed, 2, 1)).toThrow('a leader has all that was committed');
    const caughtUp = await caching();
    caughtUp.watch.lostTails.losePower(2, caughtUp.disk(2));
    caughtUp.see(2, { leaderEpoch: 1, end: 2, high: 2, caching: true });
    expect(() => lead(caughtUp, 2, 1)).toThrow('a leader has all that was committed');
  });

  it('forgets what a leader of before says of records that are lost', async () => {
    const scene = await caching();
    scene.watch.lostTails.losePower(2, scene.disk(2));
    lead(scene, 2, 1);
    scene.see(1, { leaderEpoch: 1, end: 3, high: 3, leads: true, caching: true });
    expect(scene.watch.committed).toBe(1);
    scene.see(2, { leaderEpoch: 2, end: 3, high: 3, leads: true, epoch: 2, caching: true });
    expect(scene.watch.committed).toBe(3);
  });

  it('asks nobody to have what readers of the leader do not see any more', async () => {
    const diverged = async (start: number): Promise<Scene> => {
      const scene = await caching();
      scene.watch.lostTails.losePower(2, scene.disk(2));
      lead(scene, 2, 1);
      scene.see(2, { leaderEpoch: 2, end: 3, high: 2, leads: true, epoch: 2, caching: true });
      scene.see(2, { leaderEpoch: 2, end: 3, high: 3, leads: true, epoch: 2, caching: true, start });
      scene.forget(1);
      scene.see(1, { leaderEpoch: 2, end: 2, high: 0, caching: true });
      return scene;
    };
    const kept = await diverged(0);
    const other = { leaderEpoch: 2, end: 2, high: 2, epoch: 1, caching: true };
    expect(() => kept.see(1, other)).toThrow('replicas agree below the high watermark');
    const deleted = await diverged(2);
    expect(() => deleted.see(1, other)).not.toThrow();
  });
});
