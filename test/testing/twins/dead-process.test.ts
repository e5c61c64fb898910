/** A process can die in the middle of code that awaits nothing. What runs on there has no effect on anything. */
import { describe, expect, it } from 'vitest';
import { createMemoryNetwork } from '../../../src/rpc/memory/index.ts';
import {
  createTestEnvironment,
  Scheduler,
  type TestEnvironment,
  VirtualTimers,
} from '../../../src/testing/twins/index.ts';
import { Collector, produceReply, produceRequest, serverSide } from '../../rpc/services.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const ends = { kill: (one: TestEnvironment) => one.kill(), crash: (one: TestEnvironment) => one.crash() };

/** A process with a file, a store, a lock, and a disk that takes its time. */
async function openProcess() {
  const scheduler = new Scheduler();
  const ended: unknown[] = [];
  const environment = createTestEnvironment({
    seed: 1,
    scheduler,
    disk: { scheduler: new VirtualTimers(scheduler), delayMs: () => 1 },
    onFatal: (end) => ended.push(end),
  });
  const { files, stores } = environment;
  const opened = await scheduler.finish(
    (async () => {
      await files.makeDirectory('/d');
      await files.syncDirectory('/');
      const file = await files.open('/d/file', 'create');
      await file.write([bytes('before')], 0);
      await file.sync();
      await files.syncDirectory('/d');
      const store = await stores.open('/d/store');
      await store.batch([{ kind: 'put', key: bytes('key'), value: bytes('before') }], { sync: true });
      return { file, store, lock: await files.lock('/d/lock') };
    })(),
  );
  return { scheduler, environment, ended, ...opened };
}

describe.each(['kill', 'crash'] as const)('after a %s', (how) => {
  it('nothing reaches the disk, and nobody is told that it did', async () => {
    const { scheduler, environment, file, store, lock } = await openProcess();
    const next = ends[how](environment);
    const settled: string[] = [];
    const dead = (what: string, work: Promise<unknown>): void => {
      const note = (): void => void settled.push(what);
      work.then(note, note);
    };
    const { files, stores } = environment;
    dead('write', file.write([bytes('after')], 0));
    dead('truncate', file.truncate(0));
    dead('sync', file.sync());
    dead('read', file.read(Buffer.alloc(1), 0));
    dead('open', files.open('/d/new', 'create'));
    dead('rename', files.rename('/d/file', '/d/other'));
    dead('remove', files.remove('/d/file'));
    dead('make', files.makeDirectory('/d/made'));
    dead('lock', files.lock('/d/lock'));
    dead('batch', store.batch([{ kind: 'delete', key: bytes('key') }], { sync: true }));
    dead('get', store.get(bytes('key')));
    dead('open store', stores.open('/d/store'));
    await scheduler.run(1000);
    expect(settled).toEqual([]);

    const nextLock = await scheduler.finish(next.files.lock('/d/lock'));
    await lock.release();
    await expect(scheduler.finish(next.files.lock('/d/lock'))).rejects.toMatchObject({ reason: 'locked' });
    const nextStore = await scheduler.finish(next.stores.open('/d/store'));
    await store.close();
    await scheduler.run(10);
    await expect(scheduler.finish(next.stores.open('/d/store'))).rejects.toMatchObject({ reason: 'locked' });
    expect(next.files.paths()).toEqual(environment.files.paths());
    expect(next.files.paths()).not.toContain('/d/new');
    expect(Buffer.from(next.files.contents('/d/file')).toString()).toBe('before');
    const stored = await scheduler.finish(nextStore.get(bytes('key')));
    expect(Buffer.from(stored ?? []).toString()).toBe('before');
    await nextLock.release();
  });

  it('no timer goes off, and no end of the dead one is an end of the next', async () => {
    const { scheduler, environment, ended } = await openProcess();
    let fired = 0;
    environment.timers.after(5, () => fired++);
    ends[how](environment);
    environment.timers.after(5, () => fired++);
    environment.timers.resume();
    environment.exit.fatal('bug', new Error('of the dead'));
    await scheduler.run(1000);
    expect(fired).toBe(0);
    expect(ended).toEqual([]);
  });
});

describe('after a kill', () => {
  it('nothing that is said in the network arrives', async () => {
    const scheduler = new Scheduler();
    const network = createMemoryNetwork({ timers: new VirtualTimers(scheduler), delayMs: () => 5 });
    const address = { host: 'b', port: 9092 };
    const served: string[] = [];
    const { services } = serverSide();
    const { broker } = services;
    if (broker === undefined) throw new Error('no broker');
    const produce: typeof broker.produce = async (request) => {
      served.push(request.clientId);
      return produceReply(request);
    };
    await network.transport('b').serve(address, { broker: { ...broker, produce } });
    const transport = network.transport('a');
    const connection = transport.connect(address);
    const ask = (clientId: string) => connection.broker.produce({ ...produceRequest(1), clientId }, {});
    await scheduler.finish(ask('alive'));
    const stream = connection.broker.produceStream(new Collector(), {});
    network.kill('a');
    const asked = [ask('dead'), transport.connect(address).broker.produce(produceRequest(2), {})];
    let answered = 0;
    for (const one of asked)
      one.then(
        () => answered++,
        () => answered++,
      );
    stream.send(produceRequest(3));
    await expect(transport.serve({ host: 'a', port: 1 }, {})).rejects.toMatchObject({ reason: 'closed' });
    await scheduler.run(1000);
    expect(served).toEqual(['alive']);
    expect(answered).toBe(0);
  });

  it('a caller hears that the connection broke, not the answer that the dead one gives', async () => {
    const scheduler = new Scheduler();
    const network = createMemoryNetwork({ timers: new VirtualTimers(scheduler), delayMs: () => 5 });
    const address = { host: 'b', port: 9092 };
    const { services } = serverSide();
    const { broker } = services;
    if (broker === undefined) throw new Error('no broker');
    const produce: typeof broker.produce = async (request) => {
      network.kill('b');
      return produceReply(request);
    };
    await network.transport('b').serve(address, { broker: { ...broker, produce } });
    const asked = network.transport('a').connect(address).broker.produce(produceRequest(1), {});
    await expect(scheduler.finish(asked)).rejects.toMatchObject({ reason: 'disconnected' });
  });
});
