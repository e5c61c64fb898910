import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { backoffMs, LEADER_SEARCH_BACKOFF } from '../../../src/client/backoff.ts';
import { parseBootstrap } from '../../../src/client/cluster/bootstrap.ts';
import { Candidates } from '../../../src/client/cluster/candidates.ts';
import { clientWorld, rejection } from '../client-world.ts';
import { addressOf } from '../fake-cluster.ts';

describe('cluster', () => {
  it('asks another broker at once when one is down', async () => {
    const { client, cluster, finish, environment } = clientWorld();
    cluster.createTopic('t');
    cluster.partition('t').leaderId = 2;
    cluster.kill(0);
    await finish(client.producer().send('t', { value: 'x' }));
    expect(environment.scheduler.nowMs).toBeLessThan(100);
  });

  it('asks another broker within two seconds when one is silent', async () => {
    const { client, cluster, finish, environment } = clientWorld();
    cluster.createTopic('t');
    cluster.partition('t').leaderId = 2;
    cluster.frozen.add(0);
    await finish(client.producer({ idempotence: false }).send('t', { value: 'x' }));
    expect(environment.scheduler.nowMs).toBeLessThan(2000);
  });

  it('names the brokers it asked when none answers', async () => {
    const { client, cluster, finish } = clientWorld();
    for (const id of [0, 1, 2]) cluster.kill(id);
    const error = await finish(rejection(client.admin.listTopics({ timeoutMs: 2000 })));
    expect(error.message).toContain('listing topics did not succeed within 2000 ms');
    expect(error.message).toContain('fake:9000, fake:9001, fake:9002');
  });

  it('asks once for what many want at a time', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('t', 10);
    const producer = client.producer();
    await finish(
      Promise.all(Array.from({ length: 50 }, (_, i) => producer.send('t', { key: `${i}`, value: 'x' }))),
    );
    expect(cluster.metadataCalls).toBe(1);
  });

  it('asks for metadata again when they are old', async () => {
    const { client, cluster, finish, run } = clientWorld({ settings: { metadataMaxAgeMs: 1000 } });
    cluster.createTopic('t');
    await finish(client.producer().send('t', { value: 'x' }));
    await run(3500);
    expect(cluster.metadataCalls).toBe(4);
  });

  it('asks nothing more once it is closed', async () => {
    const { client, cluster, finish, run } = clientWorld({ settings: { metadataMaxAgeMs: 1000 } });
    cluster.createTopic('t');
    await finish(client.producer().send('t', { value: 'x' }));
    await finish(client.close());
    const asked = cluster.metadataCalls;
    await run(5000);
    expect(cluster.metadataCalls).toBe(asked);
    expect((await rejection(client.admin.listTopics())).message).toContain('the client is closed');
  });
});

describe('candidates', () => {
  it('turn among those that answer, and put the last that failed at the end', () => {
    const candidates = new Candidates([addressOf(0)], 0);
    candidates.learn([addressOf(0), addressOf(1), addressOf(2)]);
    const firsts = Array.from({ length: 6 }, () => candidates.inOrder()[0]?.port);
    expect(firsts).toEqual([9000, 9001, 9002, 9000, 9001, 9002]);
    candidates.failed(addressOf(0), 5);
    candidates.failed(addressOf(1), 3);
    expect(candidates.inOrder().map(({ port }) => port)).toEqual([9002, 9001, 9000]);
    candidates.answered(addressOf(1));
    expect(candidates.inOrder().at(-1)?.port).toBe(9000);
  });
});

describe('bootstrap', () => {
  it('is a list of addresses in any of three forms', () => {
    const both = [
      { host: 'a', port: 1 },
      { host: '::1', port: 2 },
    ];
    expect(parseBootstrap('a:1, [::1]:2')).toEqual(both);
    expect(parseBootstrap(['a:1', '[::1]:2'])).toEqual(both);
    expect(parseBootstrap(both)).toEqual(both);
  });

  it('is refused with the part that is wrong', () => {
    for (const wrong of ['', 'a', 'a:0', 'a:70000', '::1:5', 'a:1,b']) {
      expect(() => parseBootstrap(wrong)).toThrow(/no address of a broker/);
    }
    expect(() => parseBootstrap([])).toThrow(/empty/);
  });
});

describe('backoff', () => {
  it('begins with nothing, grows to its bound, and stays within a fifth of it', () => {
    const random = new SeededRandom(3);
    const backoff = { firstMs: 100, maxMs: 1000, factor: 2 };
    expect(backoffMs(0, backoff, random)).toBe(0);
    for (const [failures, exact] of [
      [1, 100],
      [2, 200],
      [3, 400],
      [4, 800],
      [5, 1000],
      [50, 1000],
    ] as const) {
      const wait = backoffMs(failures, backoff, random);
      expect(Math.abs(wait - exact)).toBeLessThanOrEqual(exact / 5);
    }
  });

  it('of a search is never much longer than a fifth of the time searched, once that counts', () => {
    const random = new SeededRandom(3);
    let searchedMs = 0;
    for (let failures = 1; failures < 40; failures++) {
      const wait = backoffMs(failures, LEADER_SEARCH_BACKOFF, random);
      if (searchedMs > 200) expect(wait).toBeLessThan(searchedMs * 0.36);
      searchedMs += wait;
    }
  });
});
