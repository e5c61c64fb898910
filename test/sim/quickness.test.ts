import { describe, expect, it } from 'vitest';
import { expectAbsence } from '../../src/testing/sim/cluster/absence.ts';
import { expectDeletion } from '../../src/testing/sim/cluster/deletion.ts';
import { expectDeposition } from '../../src/testing/sim/cluster/deposition.ts';
import { expectDoubt } from '../../src/testing/sim/cluster/doubting.ts';
import { type Expect, expectSoon } from '../../src/testing/sim/cluster/expect.ts';
import { expectRemoval } from '../../src/testing/sim/cluster/lagging.ts';
import { expectLookups } from '../../src/testing/sim/cluster/lookups.ts';
import { type ClusterSimOptions, drawOptions } from '../../src/testing/sim/cluster/options.ts';
import { expectQuickness } from '../../src/testing/sim/cluster/quickness.ts';
import { expectRemaking } from '../../src/testing/sim/cluster/remaking.ts';
import { expectReplacement } from '../../src/testing/sim/cluster/replacement.ts';
import { expectReturn } from '../../src/testing/sim/cluster/returning.ts';
import { runCluster, startCluster } from '../../src/testing/sim/cluster/run.ts';
import { expectRetention } from '../../src/testing/sim/cluster/trailing.ts';
import type { SimWorld } from '../../src/testing/sim/cluster/world.ts';

const {
  replacement: _,
  lagging: __,
  remaking: ___,
  deposition: ____,
  returning: _____,
  absence: ______,
  ...DRAWN
} = drawOptions(1);
const OPTIONS: ClusterSimOptions = {
  ...DRAWN,
  controllers: 1,
  brokers: 2,
  topics: [{ name: 't', partitions: 2, replicationFactor: 2, configs: { 'min.insync.replicas': '2' } }],
  delayMinMs: 0.5,
  delayMeanMs: 1,
  diskMeanMs: 0.5,
  settings: {},
  faults: {},
};
const CUT_OFF: ClusterSimOptions = { ...OPTIONS, absence: true };
const REPLACED: ClusterSimOptions = { ...OPTIONS, replacement: true };
const LAGGING: ClusterSimOptions = { ...OPTIONS, lagging: true };
const NOTHING_FOUND = { offset: -1, timestampMs: -1, leaderEpoch: -1 };
const REMADE: ClusterSimOptions = { ...OPTIONS, remaking: true };
const DEPOSED: ClusterSimOptions = {
  ...OPTIONS,
  brokers: 3,
  topics: [{ name: 't', partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } }],
  deposition: true,
};

const RETURNED: ClusterSimOptions = { ...OPTIONS, directories: [2, 2], returning: true };

/** What a run says in which `trouble` is done to a healthy cluster before it is looked at. */
async function said(
  trouble: (world: SimWorld) => void,
  { options = OPTIONS, areEqual }: { options?: ClusterSimOptions; areEqual?: () => boolean } = {},
): Promise<string> {
  const { failure } = await runCluster(options, {}, async (world) => {
    const watch = await startCluster(world);
    const wait: Expect = (law, limitMs, holds) => expectSoon(world, law, limitMs, holds);
    trouble(world);
    await expectQuickness(world, wait, areEqual ?? (() => watch.areEqual()));
    await expectLookups(world);
    await expectRetention(world, wait, () => watch.areEqual());
    await expectRemoval(world, wait, () => watch.areEqual());
    await expectDoubt(world, wait, () => watch.areEqual());
    await expectDeposition(world, wait, () => watch.areEqual());
    await expectReturn(world, wait, () => watch.areEqual());
    await expectAbsence(world, wait, () => watch.areEqual());
    await expectReplacement(world, wait, () => watch.areEqual());
    await expectRemaking(world, wait, () => watch.areEqual());
    await expectDeletion(world, wait);
  });
  return failure === undefined ? 'nothing' : String(failure);
}

function atDeath(world: SimWorld, act: () => void): void {
  const kill = world.network.kill.bind(world.network);
  world.network.kill = (node) => {
    kill(node);
    act();
  };
}

/** Nobody moves `directory`. */
function keepInPlace({ brokers }: SimWorld, directory: string): void {
  for (const machine of brokers) {
    const kill = machine.kill.bind(machine);
    machine.kill = (power) => {
      kill(power);
      const { files } = machine;
      const rename = files.rename.bind(files);
      files.rename = async (from, to) => (from === directory ? undefined : rename(from, to));
    };
  }
}

describe('a healthy cluster', () => {
  it('is quick, quiet, finds records by their time, knows again what is repeated, gets on without a follower and a broker, replaces a disk, makes a topic again, and deletes', async () => {
    const options = { ...RETURNED, ...LAGGING, ...REMADE, absence: true, replacement: true } as const;
    expect(await said(() => {}, { options })).toBe('nothing');
  });

  it('whose disks are slow is not quick', async () => {
    const slow = (world: SimWorld): unknown => world.diskSpeeds.set('broker-1', 1_000);
    expect(await said(slow)).toMatch(/a healthy partition acknowledges at once/);
  });

  it('whose followers do not hear what is committed is not quick', async () => {
    expect(await said(() => {}, { areEqual: () => false })).toMatch(
      /every replica hears at once what is committed/,
    );
  });

  it('in which somebody asks all the time is not quiet', async () => {
    const ask = (world: SimWorld): void => void world.scheduler.after(0.5, () => ask(world));
    expect(await said(ask)).toMatch(/a quiet cluster is quiet/);
  });

  it('in which what is repeated does not arrive is told', async () => {
    const cutInstead = ({ network }: SimWorld): void => {
      network.break = (a, b) => {
        network.cut(a, b);
        network.cut(b, a);
      };
    };
    expect(await said(cutInstead)).toMatch(/a batch that is repeated is acknowledged/);
  });

  it('in which a reader that waits for more is not woken by it is told', async () => {
    const cutAfter = ({ network, diskSpeeds, brokers }: SimWorld): void => {
      diskSpeeds.clear = () => {
        for (const { name } of brokers) network.cut(name, 'waiting');
      };
    };
    expect(await said(cutAfter)).toMatch(/a reader that waits for more is woken by it/);
  });

  it('in which records are not found by their time is told', async () => {
    const findNothing = (world: SimWorld): void => {
      const client = world.client.bind(world);
      world.client = (name) => {
        const made = client(name);
        if (name === 'finder')
          made.admin.listOffsets = async () => [{ topic: 't', partition: 0, ...NOTHING_FOUND }];
        return made;
      };
    };
    expect(await said(findNothing)).toMatch(/the first record is found/);
  });

  it('in which a follower that trails a little leaves the in-sync set is told', async () => {
    const delayForLong = ({ linkDelays }: SimWorld): void => {
      const set = linkDelays.set.bind(linkDelays);
      linkDelays.set = (link, delayMs) => set(link, 100 * delayMs);
    };
    expect(await said(delayForLong, { options: LAGGING })).toMatch(/who trails a little stays in sync/);
  });

  it('in which a follower that lags stays in sync is told', async () => {
    const neverHinder = (world: SimWorld): void => {
      world.network.cut = () => {};
      for (const broker of world.brokers) broker.stallDisk = () => {};
    };
    expect(await said(neverHinder, { options: LAGGING })).toMatch(/who cannot keep up is not in sync/);
  });

  it('in which a follower does not come back is told', async () => {
    const neverHeal = (world: SimWorld): void => {
      world.network.heal = () => {};
      for (const broker of world.brokers) broker.resumeDisk = () => {};
    };
    expect(await said(neverHeal, { options: LAGGING })).toMatch(/who can keep up again is in sync/);
  });

  it('in which what is written is refused for certain is told', async () => {
    const refuse = ({ brokers, trace }: SimWorld): void => {
      const count = trace.count.bind(trace);
      trace.count = (name, more) => {
        count(name, more);
        if (name !== 'followers cut off in the end' && name !== 'disks of followers stalled in the end')
          return;
        for (const { node } of brokers) {
          const api = node?.broker?.broker;
          const produce = api?.produce.bind(api);
          if (api === undefined || produce === undefined) continue;
          api.produce = async (request, call) => {
            const { partitions, ...reply } = await produce(request, call);
            return {
              ...reply,
              partitions: partitions.map((one) => ({ ...one, error: 'NOT_LEADER_OR_FOLLOWER' })),
            };
          };
        }
      };
    };
    expect(await said(refuse, { options: LAGGING })).toMatch(/what is written is not refused for certain/);
  });

  it('in which a replica does not hear of a deletion is told', async () => {
    const cutBefore = (world: SimWorld): void => {
      const { network } = world;
      const client = world.client.bind(world);
      world.client = (name) => {
        if (name === 'deleter') {
          network.cut('broker-1', 'broker-2');
          network.cut('broker-2', 'broker-1');
        }
        return client(name);
      };
    };
    expect(await said(cutBefore)).toMatch(/delet/);
  });

  it('in which an empty replica gets nothing is told', async () => {
    const cutInstead = (world: SimWorld): void => {
      world.noteDeleted = () => world.network.cut('broker-2', 'broker-1');
    };
    expect(await said(cutInstead, { options: REPLACED })).toMatch(/an empty replica begins within a batch/);
  });

  it('in which somebody waits for a broker that died is told', async () => {
    const cutClients = (world: SimWorld): void =>
      atDeath(world, () => world.network.cut('replacer', 'broker-2'));
    const topics = OPTIONS.topics.map((topic) => ({ ...topic, configs: { 'min.insync.replicas': '1' } }));
    expect(await said(cutClients, { options: { ...REPLACED, topics } })).toMatch(
      /nobody waits for a broker that died/,
    );
  });

  it('in which a topic that is made again has more than was sent to it is told', async () => {
    const sendMore = (world: SimWorld): void => {
      const { trace } = world;
      const count = trace.count.bind(trace);
      trace.count = (name, more) => {
        count(name, more);
        if (name === 'topics made again in the end')
          void world.client('stranger').producer().send('remade', { partition: 0, value: 'x' });
      };
    };
    expect(await said(sendMore, { options: REMADE })).toMatch(/a topic made again is empty/);
  });

  it('gets on without a leader that is cut off, and with it when it is back', async () => {
    expect(await said(() => {}, { options: DEPOSED })).toBe('nothing');
  });

  it('in which a leader that is cut off goes on to lead is told', async () => {
    const neverCut = ({ network }: SimWorld): void => {
      network.cut = () => {};
    };
    expect(await said(neverCut, { options: DEPOSED })).toMatch(/a leader that is cut off is deposed/);
  });

  it('in which a leader of before does not hear of the new one is told', async () => {
    const healNobody = ({ network }: SimWorld): void => {
      const heal = network.heal.bind(network);
      network.heal = (from) => (from === undefined ? heal() : undefined);
    };
    expect(await said(healNobody, { options: DEPOSED })).toMatch(/a leader of before hears of the new one/);
  });

  it('in which a log is there although its directory is not is told', async () => {
    const neverTake = (world: SimWorld): void => keepInPlace(world, '/data2');
    expect(await said(neverTake, { options: RETURNED })).toMatch(/what is counted on is not made anew/);
  });

  it('in which a directory does not come back is told', async () => {
    const neverBring = (world: SimWorld): void => keepInPlace(world, '/shelf');
    expect(await said(neverBring, { options: RETURNED })).toMatch(/a directory that is back has everything/);
  });

  it('in which the logs of a topic that is deleted stay is told', async () => {
    const keepAll = ({ brokers }: SimWorld): void => {
      for (const broker of brokers) {
        const { files } = broker;
        const rename = files.rename.bind(files);
        files.rename = async (from, to) => (to.includes('-delete') ? undefined : rename(from, to));
      }
    };
    expect(await said(keepAll, { options: REMADE })).toMatch(/a topic that is deleted has no logs/);
  });

  it('in which somebody is told of what is not committed is told', async () => {
    const tellTooMuch = (world: SimWorld): void => {
      const client = world.client.bind(world);
      world.client = (name) => {
        const made = client(name);
        const found = { topic: 't', partition: 0, offset: 1_000, timestampMs: 0 };
        if (name === 'lagging') made.admin.listOffsets = async () => [found];
        return made;
      };
    };
    expect(await said(tellTooMuch, { options: LAGGING })).toMatch(/nobody is told of what is not committed/);
  });

  it('in which a node that stops in order leaves a file open is told', async () => {
    const { failure } = await runCluster(OPTIONS, {}, async (world) => {
      await startCluster(world);
      const [machine] = world.brokers;
      void machine?.environment.files.open('/data/left', 'create');
      let isStopped = false;
      void machine?.stop().then(() => {
        isStopped = true;
      });
      await world.run(() => isStopped, 10_000);
    });
    expect(String(failure)).toMatch(/a node that stopped has no file open/);
  });

  it('in which a broker that hears of no other does not serve is told', async () => {
    const cut = (world: SimWorld): void =>
      atDeath(world, () => world.network.cut('broker-1', 'controller-101'));
    expect(await said(cut, { options: CUT_OFF })).toMatch(/a broker serves that hears of no other/);
  });

  it('in which somebody waits for a broker that is cut off is told', async () => {
    const cutClients = (world: SimWorld): void =>
      atDeath(world, () => world.network.cut('absence', 'broker-2'));
    const topics = OPTIONS.topics.map((topic) => ({ ...topic, configs: { 'min.insync.replicas': '1' } }));
    expect(await said(cutClients, { options: { ...CUT_OFF, topics } })).toMatch(
      /nobody waits for a broker that is cut off/,
    );
  });

  it('in which a broker that starts anew is not in sync is told', async () => {
    const cutTheOther = (world: SimWorld): void => {
      const kill = world.network.kill.bind(world.network);
      world.network.kill = (node) => {
        kill(node);
        if (node === 'broker-2') world.network.cut(node, 'controller-101');
      };
    };
    expect(await said(cutTheOther, { options: CUT_OFF })).toMatch(/who starts anew is in sync/);
  });

  it('in which a broker that was cut off stays behind is told', async () => {
    const stayCut = (world: SimWorld): void => {
      world.network.heal = () => {};
    };
    expect(await said(stayCut, { options: CUT_OFF })).toMatch(/a broker that was cut off has everything/);
  });

  it('in which the controller counts on a broker that died is told', async () => {
    const pause = (world: SimWorld): void => atDeath(world, () => world.controllers[0]?.pause());
    expect(await said(pause, { options: REPLACED })).toMatch(/a broker that died counts no more/);
  });
});
