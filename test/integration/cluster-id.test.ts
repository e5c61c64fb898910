import { afterEach, beforeEach, expect, test } from 'vitest';
import { SILENT } from '../../src/env/index.ts';
import { createNodeEnvironment, freePorts, makeTemporaryDirectory } from '../../src/env/node/index.ts';
import { levelStores } from '../../src/raft/index.ts';
import { createGrpcTransport } from '../../src/rpc/grpc/index.ts';
import { nodeConfigFrom, type ServerNode, startNode, valuesFromArguments } from '../../src/server/index.ts';

const environment = createNodeEnvironment({ stores: levelStores(), logger: SILENT });
let directory = '';
let ports: number[] = [];

beforeEach(async () => {
  directory = await makeTemporaryDirectory('quorate-cluster-id-');
  ports = await freePorts(3);
});

afterEach(() => environment.files.removeDirectory(directory));

/** Controller `101 + index` of `count`, on an empty directory or on what it left there. */
function start(index: number, count: number, ...settings: string[]): Promise<ServerNode> {
  const voters = ports.slice(0, count).map((port, i) => `${101 + i}@127.0.0.1:${port}`);
  const config = nodeConfigFrom(
    valuesFromArguments([
      'process.roles=controller',
      `node.id=${101 + index}`,
      `controller.quorum.voters=${voters.join(',')}`,
      `listeners=CONTROLLER://127.0.0.1:${ports[index]}`,
      `log.dirs=${directory}/${index}`,
      ...settings,
    ]),
  );
  return startNode({ config, environment, transport: createGrpcTransport({ logger: SILENT }) });
}

const startAll = () => Promise.all([0, 1, 2].map((index) => start(index, 3)));
const stopAll = (nodes: readonly ServerNode[]) =>
  Promise.all(nodes.map((node) => node.stop({ controlled: false })));

test('controllers on empty directories agree on one cluster id and become its voters', async () => {
  const nodes = await startAll();
  await Promise.all(nodes.map((node) => node.ready));
  expect(new Set(nodes.map((node) => node.identity.clusterId)).size).toBe(1);
  const voters = nodes[0]?.raft.status().voters.map((voter) => voter.directoryId);
  expect(voters).toEqual(nodes.map((node) => node.identity.directoryId));
  await stopAll(nodes);
});

test('a controller whose directory was wiped finds its cluster again, without a vote', async () => {
  const before = await startAll();
  await Promise.all(before.map((node) => node.ready));
  await stopAll(before);
  await environment.files.removeDirectory(`${directory}/0`);

  const after = await startAll();
  await Promise.all(after.map((node) => node.ready));
  expect(after[0]?.identity.clusterId).toBe(before[0]?.identity.clusterId);
  expect(after[0]?.identity.directoryId).not.toBe(before[0]?.identity.directoryId);
  const voters = after[1]?.raft.status().voters.map((voter) => voter.directoryId);
  expect(voters).toEqual(before.map((node) => node.identity.directoryId));
  expect(after[0]?.raft.status().role).toBe('observer');
  await stopAll(after);
});

test('a controller that was given another cluster id than the one its quorum agreed on does not start', async () => {
  const [agreed, other] = ['aaaaaaaaaaaaaaaaaaaaaA', 'bbbbbbbbbbbbbbbbbbbbbA'];
  const first = start(0, 2, `cluster.id=${agreed}`);
  const second = start(1, 2, `cluster.id=${other}`);
  await expect(second).rejects.toThrow(
    `was given cluster.id ${other}, but its quorum belongs to cluster ${agreed}`,
  );
  await stopAll([await first]);
});
