import { afterEach, beforeEach, expect, test } from 'vitest';
import { SILENT } from '../../src/env/index.ts';
import {
  createNodeEnvironment,
  freePorts,
  makeTemporaryDirectory,
  nodeFiles,
} from '../../src/env/node/index.ts';
import { levelStores } from '../../src/raft/index.ts';
import { createGrpcTransport } from '../../src/rpc/grpc/index.ts';
import { nodeConfigFrom, type ServerNode, startNode, valuesFromArguments } from '../../src/server/index.ts';
import { KillSwitch } from '../../src/testing/cluster/kill-switch.ts';
import { RecordingLogger } from '../../src/testing/twins/index.ts';

interface Starting {
  readonly node: Promise<ServerNode>;
  /** Errors in its log. */
  complaints(): string[];
  kill(): Promise<void>;
}

let directory = '';
let ports: number[] = [];
let running: Starting[] = [];

beforeEach(async () => {
  directory = await makeTemporaryDirectory('quorate-voters-');
  ports = await freePorts(3);
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((one) => one.kill()));
  await nodeFiles().removeDirectory(directory);
});

/** Controller 101, 102 or 103 that is configured with `list`. It may never get as far as to be a node. */
function start(id: number, list: readonly number[]): Starting {
  const logger = new RecordingLogger();
  const transport = createGrpcTransport({ logger: SILENT });
  const kill = new KillSwitch();
  const environment = kill.wrap(createNodeEnvironment({ stores: levelStores(), logger }));
  const config = nodeConfigFrom(
    valuesFromArguments([
      'process.roles=controller',
      `node.id=${id}`,
      `controller.quorum.voters=${list.map((voter) => `${voter}@127.0.0.1:${ports[voter - 101]}`).join(',')}`,
      `listeners=CONTROLLER://127.0.0.1:${ports[id - 101]}`,
      `log.dirs=${directory}/${id}`,
    ]),
  );
  const node = startNode({ config, environment, transport });
  node.catch(() => {});
  const errors = () => logger.lines.filter(({ level }) => level === 'error');
  const starting = {
    node,
    complaints: () => errors().map(({ fields, message }) => `${message}: ${fields.detail}`),
    kill: async () => {
      await Promise.all([transport.close(), kill.kill()]);
    },
  };
  running.push(starting);
  return starting;
}

test('controllers with different lists of voters found nothing and say why; the list corrected, they are ready', async () => {
  const all = [101, 102, 103];
  const nodes = [start(101, all), start(102, all), start(103, [102, 103])] as const;
  await expect.poll(() => nodes.every((one) => one.complaints().length > 0), { timeout: 20_000 }).toBe(true);
  expect(nodes[0].complaints()).toEqual([
    'nodes disagree about the quorum; waiting: controller.quorum.voters is [101, 102, 103] at node 101 but [102, 103] ' +
      'at node 103: give both the same list and start them again',
  ]);
  // Either of the others may have answered first.
  expect(nodes[2].complaints()[0]).toMatch(
    /is \[102, 103\] at node 103 but \[101, 102, 103\] at node 10[12]/,
  );
  const files = nodeFiles();
  for (const id of all) expect(await files.stat(`${directory}/${id}/meta.properties`)).toBeUndefined();

  await nodes[2].kill();
  const mended = await Promise.all([...nodes.slice(0, 2), start(103, all)].map((one) => one.node));
  await Promise.all(mended.map((node) => node.ready));
  for (const node of mended) expect(node.raft.status().voters.map(({ id }) => id)).toEqual(all);
});

test('a controller that names one which founded its quorum alone waits, and never founds another', async () => {
  const alone = await start(101, [101]).node;
  await alone.ready;
  const second = start(102, [101, 102]);
  await expect.poll(() => second.complaints().length, { timeout: 20_000 }).toBe(1);
  expect(second.complaints()[0]).toContain(
    'node 101 belongs to a quorum of nodes [101], founded without node 102',
  );
  expect(await nodeFiles().stat(`${directory}/102/meta.properties`)).toBeUndefined();
  expect(alone.raft.status().voters.map(({ id }) => id)).toEqual([101]);
});
