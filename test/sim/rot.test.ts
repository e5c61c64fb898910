import { describe, expect, it } from 'vitest';
import type { MetadataImage } from '../../src/metadata/index.ts';
import type { Machine } from '../../src/testing/sim/cluster/machine.ts';
import { Rot, type TurnedBit } from '../../src/testing/sim/cluster/rot.ts';
import { MemoryFiles } from '../../src/testing/twins/index.ts';

const PATH = '/a';

/** Two brokers with a replica each; `isr` is what the controller knows. */
class Scene {
  readonly machines = [machineOf(1), machineOf(2)] as const;
  isr: readonly number[] | undefined = [1, 2];
  turnedBack = 0;
  readonly rot = new Rot({
    image: () => (this.isr === undefined ? undefined : imageOf(this.isr)),
    count: () => void this.turnedBack++,
  });

  async start(): Promise<this> {
    for (const { files } of this.machines) {
      const handle = await files.open(PATH, 'create');
      await handle.write([Buffer.from('abc')], 0);
      await handle.sync();
      await files.syncDirectory('/');
      await handle.write([Buffer.from('d')], 3);
    }
    return this;
  }

  turn(at: 0 | 1, index = 1): TurnedBit {
    const machine = this.machines[at];
    const file = machine.files.findDurable(PATH);
    if (file === undefined) throw new Error('there is no file');
    const partition = { topic: 't', partition: 0 };
    const bit = { machine, partition, path: PATH, file, index, sound: 98, turned: 99 };
    this.rot.turn(bit);
    return bit;
  }

  text(at: 0 | 1): string {
    return Buffer.from(this.machines[at].files.contents(PATH)).toString();
  }
}

function machineOf(id: number): Machine {
  const files = new MemoryFiles();
  return { plan: { id }, files, directories: ['/'], places: new Map() } as unknown as Machine;
}

function imageOf(isr: readonly number[]): MetadataImage {
  return { topics: { find: () => ({ partitions: [{ isr }] }) } } as unknown as MetadataImage;
}

describe('the disk of a broker', () => {
  const view = async (places: readonly (readonly [string, string])[], directories: readonly string[]) => {
    const files = new MemoryFiles();
    for (const directory of ['/data/t-0', '/data2/t-0']) {
      await files.makeDirectory(directory);
      await (await files.open(`${directory}/a`, 'create')).close();
      for (const path of ['/', '/data', '/data2', directory]) await files.syncDirectory(path).catch(() => {});
    }
    const machine = { ...machineOf(1), files, directories, places: new Map(places) } as unknown as Machine;
    const paths = new Rot({ image: () => undefined, count: () => {} }).soundFiles(machine);
    return paths.durablePaths('/data3/t-0');
  };

  it('has a log where it was seen last, whichever directory it is asked for in', async () => {
    expect(await view([['t-0', '/data2']], ['/data', '/data2'])).toEqual(['/data2/t-0/a']);
  });

  it('has a log at home that nobody saw', async () => {
    expect(await view([], ['/data', '/data2'])).toEqual(['/data/t-0/a']);
    expect(await view([], ['/data'])).toEqual(['/data/t-0/a']);
  });
});

describe('a bit that turned', () => {
  it('is read, and survives a loss of power that takes what was not synced', async () => {
    const scene = await new Scene().start();
    const { file } = scene.turn(0);
    expect(scene.text(0)).toBe('accd');
    expect(Buffer.from(file.durableBytes).toString()).toBe('acc');
  });

  it('is not seen by who asks what the disk would hold without it', async () => {
    const scene = await new Scene().start();
    scene.turn(0);
    const sound = scene.rot.soundFiles(scene.machines[0]).findDurable(PATH);
    expect(Buffer.from(sound?.durableBytes ?? []).toString()).toBe('abc');
  });

  it('is on one replica at a time, and not on the last one in sync', async () => {
    const scene = await new Scene().start();
    expect(scene.rot.isSafe(scene.machines[0], 't', 0)).toBe(true);
    scene.isr = [1];
    expect(scene.rot.isSafe(scene.machines[0], 't', 0)).toBe(false);
    expect(scene.rot.isSafe(scene.machines[1], 't', 0)).toBe(true);
    scene.isr = [1, 2];
    scene.turn(0);
    expect(scene.rot.isSafe(scene.machines[1], 't', 0)).toBe(false);
  });

  it('is open until the file is another one, or says otherwise', async () => {
    const scene = await new Scene().start();
    const bit = scene.turn(0);
    expect(scene.rot.open).toEqual([bit]);
    const handle = await scene.machines[0].files.open(PATH, 'write');
    await handle.write([Buffer.from('b')], 1);
    await handle.sync();
    expect(scene.rot.open).toEqual([]);
  });

  it.each([
    ['counts as in sync', [1, 2], 'abcd'],
    ['is not known to be out of sync', undefined, 'abcd'],
    ['is out of sync', [2], 'accd'],
  ])('is turned back before a start of a replica that may lose by it: it %s', async (_what, isr, text) => {
    const scene = await new Scene().start();
    scene.turn(0);
    scene.isr = isr;
    scene.rot.beginLife(scene.machines[0]);
    expect(scene.text(0)).toBe(text);
  });

  it('is for a person when its replica is the last one in sync', async () => {
    const scene = await new Scene().start();
    const bit = scene.turn(0);
    expect(scene.rot.isForPerson(bit)).toBe(false);
    scene.isr = [1];
    expect(scene.rot.isForPerson(bit)).toBe(true);
  });
});
