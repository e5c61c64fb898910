import { afterEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../src/base/index.ts';
import {
  type SimulateOptions,
  type SimulationFailed,
  type SimulationMain,
  type SimulationWorld,
  seeds,
  simulate,
  simulateMany,
} from '../../src/testing/index.ts';

const SMALL: SimulateOptions = { controllers: 1, brokers: 1, topics: [{ name: 't' }], faultsMs: 10_000 };
const PEACE: SimulateOptions = { ...SMALL, faults: {} };

const sendTwo: SimulationMain = async (world) => {
  const producer = world.client('sender').producer();
  for (const value of ['a', 'b']) await producer.send('t', { value });
  expect(await valuesOf(world)).toEqual(['a', 'b']);
};

async function valuesOf(world: SimulationWorld): Promise<string[]> {
  const values: string[] = [];
  const consumer = world.client('reader').consumer({ topic: 't', from: 'beginning' });
  for await (const { value } of consumer.untilEnd()) values.push(String(value));
  return values;
}

async function failureOf(main: SimulationMain, options = PEACE): Promise<SimulationFailed> {
  return simulate(7, main, options).then(
    () => expect.unreachable('the run passed'),
    (error: SimulationFailed) => error,
  );
}

describe('a simulation of user code', () => {
  it('goes the same way with the same seed, and another with another', async () => {
    const [first, again, other] = [
      await simulate(1, sendTwo, SMALL),
      await simulate(1, sendTwo, SMALL),
      await simulate(2, sendTwo, SMALL),
    ];
    expect(again).toEqual(first);
    expect(other.hash).not.toBe(first.hash);
  });

  it('has the faults that were asked for, and no others', async () => {
    const waiting: SimulationMain = (world) => world.after(10_000);
    const { counters } = await simulate(1, waiting, { ...SMALL, faults: { kill: 1000 } });
    const faults = [...counters.keys()].filter((name) => name.startsWith('fault: '));
    expect(faults).toEqual(['fault: kill']);
    const peaceful = await simulate(1, waiting, PEACE);
    expect([...peaceful.counters.keys()].filter((name) => name.startsWith('fault: '))).toEqual([]);
  });

  it('takes no real time to let virtual time pass', async () => {
    const { virtualMs } = await simulate(1, (world) => world.after(300_000), PEACE);
    expect(virtualMs).toBeGreaterThan(300_000);
  });

  it('that fails names its seed, how to replay it, and what happened last', async () => {
    const wrong = new Error('that was wrong');
    const failure = await failureOf(async (world) => {
      world.note('about to be wrong');
      throw wrong;
    });
    expect(failure).toMatchObject({ name: 'SimulationFailed', seed: 7, cause: wrong });
    expect(failure.message).toMatch(/^seed 7: that was wrong\nreplay: QUORATE_SEED=7\n/);
    expect(failure.message).toContain('*** about to be wrong');
  });

  it('fails when the code does not end in virtual time', async () => {
    const failure = await failureOf(() => new Promise(() => {}), { ...PEACE, limitMs: 5000 });
    expect(failure.message).toContain('not within 5000 ms: your function ends');
  });

  it('fails when the history that the code wrote shows an anomaly', async () => {
    const failure = await failureOf(async ({ recorder }) => {
      const polled = [{ topic: 't', partition: 0, records: [[0, 'nobody sent this']] as const }];
      recorder.invoke('reader', { f: 'poll' }).ok({ polled });
    });
    expect(failure.message).toContain('phantom');
  });

  it('says so when the code goes by anything but its seed', async () => {
    let calls = 0;
    const fickle: SimulationMain = (world) => world.after(++calls * 100);
    await expect(simulateMany(1, fickle, PEACE)).rejects.toThrow('the same seed went two ways');
  });
});

describe('many simulations', () => {
  const { QUORATE_SEED: before } = process.env;
  afterEach(() => {
    if (before === undefined) delete process.env.QUORATE_SEED;
    else process.env.QUORATE_SEED = before;
  });

  it('run each seed, and stop at the first that fails', async () => {
    const ran: number[] = [];
    const main: SimulationMain = async ({ seed }) => {
      ran.push(seed);
      if (seed === 3) throw new Error('three');
    };
    expect(await simulateMany([1, 2], main, PEACE)).toMatchObject({ runs: 2 });
    await expect(simulateMany(5, main, PEACE)).rejects.toThrow('seed 3: three');
    expect(new Set(ran)).toEqual(new Set([1, 2, 3]));
  });

  it('are one when the environment names a seed', () => {
    expect(seeds(3)).toEqual([1, 2, 3]);
    process.env.QUORATE_SEED = '17';
    expect(seeds(3)).toEqual([17]);
  });
});

describe('a simulated process', () => {
  it('does nothing more after it was killed, but what it called for is done', async () => {
    const done: string[] = [];
    await simulate(
      1,
      async (world) => {
        const process = world.process('app', async (life) => {
          await life.call(() => done.push(`called by ${life.number}`));
          done.push(`answered to ${life.number}`);
          if (life.number === 1) await life.after(1_000_000);
        });
        process.kill();
        await world.after(1000);
        process.start();
        await process.ended;
        expect(process.lives).toBe(2);
      },
      PEACE,
    );
    expect(done).toEqual(['called by 1', 'called by 2', 'answered to 2']);
  });

  it('loses its client, and has another in its next life', async () => {
    await simulate(
      1,
      async (world) => {
        const process = world.process(
          'app',
          async (life) => {
            const producer = life.client().producer();
            for (;;) await producer.send('t', { value: `life ${life.number}` });
          },
          { crashMeanMs: 500 },
        );
        await world.until('five lives', () => process.lives > 5);
        await world.heal();
        await world.until('it lives', () => process.isUp);
        expect(new Set(await valuesOf(world)).size).toBeGreaterThan(1);
      },
      PEACE,
    );
  });

  it('that ends with an error of the cluster is started again; with another the run fails', async () => {
    await simulate(
      1,
      async (world) => {
        const process = world.process('app', async ({ number }) => {
          if (number < 3) throw new ApiError('NOT_ENOUGH_REPLICAS');
        });
        await process.ended;
        expect(process.lives).toBe(3);
      },
      PEACE,
    );
    const failure = await failureOf(async (world) => {
      world.process('app', async () => {
        throw new TypeError('a mistake');
      });
      await world.after(1000);
    });
    expect(failure.message).toContain('a mistake');
  });

  it('does not crash any more when all is healed', async () => {
    const options = { ...PEACE, crashMeanMs: 100 };
    await simulate(
      1,
      async (world) => {
        const process = world.process('app', ({ after }) => after(1_000_000));
        await world.after(5000);
        await world.heal();
        await world.until('it lives', () => process.isUp);
        const { lives } = process;
        await world.after(60_000);
        expect([lives > 2, process.lives]).toEqual([true, lives]);
      },
      options,
    );
  });
});
