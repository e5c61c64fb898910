import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { FoundingFixture, type Machine, type MachineConfig } from './founding-fixture.ts';

/** Nodes 1, 2, ... with the lists given, every id at its own address. */
function configsOf(...lists: number[][]): MachineConfig[] {
  return lists.map((list, index) => ({ id: index + 1, list: new Map(list.map((id) => [id, id - 1])) }));
}

function restart(fixture: FoundingFixture, machine: Machine, config: MachineConfig): void {
  fixture.stop(machine);
  machine.config = config;
  fixture.start(machine);
}

/** Ids of the sets that were born, in order. */
const setsOf = ({ born }: FoundingFixture) =>
  [...born.values()].map(({ voters }) => voters.map(({ id }) => id));

async function started(...lists: number[][]): Promise<FoundingFixture> {
  const fixture = new FoundingFixture(7, configsOf(...lists));
  for (const machine of fixture.machines) fixture.start(machine);
  await fixture.run(20_000);
  return fixture;
}

describe('lists that differ', () => {
  it('found nothing, are told once by each node, and a corrected list settles it', async () => {
    const f = await started([1, 2, 3], [1, 2], [1, 2, 3]);
    expect(setsOf(f)).toEqual([]);
    for (const machine of f.machines) expect(f.conflicts(machine)).toHaveLength(1);
    expect(f.conflicts(f.machines[0]!)[0]).toBe(
      'controller.quorum.voters is [1, 2, 3] at node 1 but [1, 2] at node 2: give both the same list and start them again',
    );
    restart(f, f.machines[1]!, configsOf([1, 2, 3], [1, 2, 3])[1]!);
    await f.run(5000);
    expect(setsOf(f)).toEqual([[1, 2, 3]]);
    expect([...f.born.values()][0]?.holders.size).toBe(3);
  });

  it('are told again when they differ in another way', async () => {
    const f = await started([1, 2, 3], [1, 2], [1, 2, 3]);
    restart(f, f.machines[1]!, configsOf([], [2, 3])[1]!);
    await f.run(5000);
    expect(f.conflicts(f.machines[0]!)).toHaveLength(2);
    expect(f.conflicts(f.machines[0]!)[1]).toContain('[2, 3] at node 2');
  });

  it('hold the asked back too, for as long as the other asks', async () => {
    const f = new FoundingFixture(7, configsOf([1, 2], [1, 2], [1, 3]));
    f.start(f.machines[0]!);
    f.start(f.machines[2]!);
    await f.run(1000);
    f.start(f.machines[1]!);
    await f.run(5000);
    expect(setsOf(f)).toEqual([]);
    expect(f.conflicts(f.machines[0]!)[0]).toContain('[1, 3] at node 3');
    f.stop(f.machines[2]!);
    await f.run(20_000);
    expect(setsOf(f)).toEqual([[1, 2]]);
  });

  it('let a lone voter found its quorum, which nobody joins that it does not name', async () => {
    const f = await started([1], [1, 2]);
    expect(setsOf(f)).toEqual([[1]]);
    expect(f.machines[1]?.hardState.voters).toEqual([]);
    expect(f.conflicts(f.machines[1]!).at(-1)).toContain('[1], founded without node 2');
    f.wipe(f.machines[0]!);
    restart(f, f.machines[0]!, configsOf([1, 2])[0]!);
    await f.run(5000);
    expect(setsOf(f)).toEqual([[1], [1, 2]]);
  });

  it('found nothing when two nodes have one id, though the lists have the same ids', async () => {
    const list = (third: number) => new Map([1, 2, 3].map((id) => [id, id === 3 ? third : id - 1]));
    const f = new FoundingFixture(7, [
      { id: 1, list: list(2) },
      { id: 2, list: list(3) },
      { id: 3, list: list(2) },
      { id: 3, list: list(3) },
    ]);
    for (const machine of f.machines) f.start(machine);
    await f.run(5000);
    expect(setsOf(f)).toEqual([]);
    expect(f.conflicts(f.machines[0]!)[0]).toContain('two nodes have the id 3');
  });
});

const SEEDS = Number(process.env.QUORATE_SEEDS ?? 100);

/** Mostly one list, here and there another, and now and then an id that leads somewhere else. */
function drawConfigs(random: SeededRandom): MachineConfig[] {
  const machines = random.integer(2, 7);
  const ids = Array.from({ length: machines }, (_, index) =>
    index > 1 && random.float() < 0.15 ? random.integer(1, index + 1) : index + 1,
  );
  const subset = () => ids.filter(() => random.float() < 0.6);
  const [one, other] = [subset(), subset()];
  const wrong = random.float() * 0.6;
  return ids.map((id) => {
    const draw = random.float();
    const names = new Set([id, ...(draw < wrong ? subset() : draw < 0.9 ? one : other)]);
    // A node reaches itself at its own id: it does not ask.
    const places = (name: number) => ids.flatMap((at, index) => (at === name ? [index] : []));
    const list = [...names].map((name): [number, number] => {
      const found = places(name);
      return [name, found[random.integer(0, found.length)] ?? -1];
    });
    return { id, list: new Map(list) };
  });
}

/** No two sets that were born have a member in common. */
function checkIslands(fixture: FoundingFixture, seed: number): void {
  const owner = new Map<string, string>();
  for (const [set, { voters, holders }] of fixture.born) {
    for (const { id, directoryId } of voters) {
      const key = `${id}/${directoryId}`;
      expect(owner.get(key) ?? set, `seed ${seed}: ${key} is in two sets`).toBe(set);
      owner.set(key, set);
    }
    expect(holders.size).toBeGreaterThan(0);
  }
}

async function play(seed: number): Promise<{ born: number; refused: number }> {
  const random = new SeededRandom(seed, 'plan');
  const configs = drawConfigs(random);
  const fixture = new FoundingFixture(seed, configs);
  fixture.trouble = random.float() < 0.5 ? random.float() * 0.3 : 0;
  const wipes = random.float() < 0.3;
  for (let turn = 0; turn < 30; turn++) {
    const machine = fixture.machines[random.integer(0, configs.length)]!;
    const draw = random.float();
    if (draw < 0.7) fixture.start(machine);
    else if (wipes && draw < 0.78 && machine.hardState.voters.length === 0) fixture.wipe(machine);
    else if (draw < 0.9) fixture.stop(machine);
    await fixture.run(random.float() < 0.5 ? random.float() * 10 : random.float() * 200);
    checkIslands(fixture, seed);
  }
  fixture.trouble = 0;
  for (const machine of fixture.machines) fixture.start(machine);
  await fixture.run(4000);
  checkIslands(fixture, seed);
  for (const { config, key, hardState } of fixture.machines) {
    const ids = hardState.voters.map(({ id }) => id);
    const isMember = hardState.voters.some(({ directoryId }) => directoryId === key.directoryId);
    if (isMember) expect([...config.list.keys()].toSorted(), `seed ${seed}`).toEqual(ids.toSorted());
  }
  const refused = fixture.machines.filter((machine) => fixture.conflicts(machine).length > 0).length;
  return { born: fixture.born.size, refused };
}

describe('the birth of quorums', () => {
  it('never gives a node to two of them, whatever the lists, addresses, losses, restarts and order', async () => {
    const total = { born: 0, refused: 0, none: 0, several: 0 };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { born, refused } = await play(seed);
      total.born += born;
      total.refused += refused;
      if (born === 0) total.none++;
      if (born > 1) total.several++;
    }
    // Neither all peace nor all quarrel, or the seeds show nothing.
    for (const count of Object.values(total)) expect(count).toBeGreaterThan(5);
  });
});
