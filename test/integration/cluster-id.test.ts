import { expect, test } from 'vitest';
import { SILENT } from '../../src/env/index.ts';
import { createNodeEnvironment, freePorts, makeTemporaryDirectory } from '../../src/env/node/index.ts';
import { levelStores } from '../../src/raft/index.ts';
import { createGrpcTransport } from '../../src/rpc/grpc/index.ts';
import { nodeConfigFrom, startNode, valuesFromArguments } from '../../src/server/index.ts';

test('a controller that was given another cluster id than the one its quorum agreed on does not go on', async () => {
  const directory = await makeTemporaryDirectory('quorate-cluster-id-');
  const ports = await freePorts(2);
  const voters = ports.map((port, i) => `${101 + i}@127.0.0.1:${port}`).join(',');
  const environment = createNodeEnvironment({ stores: levelStores(), logger: SILENT });
  const start = (i: number, clusterId: string) => {
    const settings = [
      'process.roles=controller',
      `node.id=${101 + i}`,
      `controller.quorum.voters=${voters}`,
      `listeners=CONTROLLER://127.0.0.1:${ports[i]}`,
      `log.dirs=${directory}/${i}`,
      `cluster.id=${clusterId}`,
    ];
    const config = nodeConfigFrom(valuesFromArguments(settings));
    return startNode({ config, environment, transport: createGrpcTransport({ logger: SILENT }) });
  };
  const [agreed, other] = ['aaaaaaaaaaaaaaaaaaaaaA', 'bbbbbbbbbbbbbbbbbbbbbA'];
  const nodes = await Promise.all([start(0, agreed), start(1, other)]);

  await expect(nodes[1]?.ready).rejects.toThrow(
    `formatted for cluster ${other}, but its quorum belongs to cluster ${agreed}`,
  );
  await expect(nodes[0]?.ready).resolves.toBeUndefined();
  await Promise.all(nodes.map((node) => node.stop({ controlled: false })));
  await environment.files.removeDirectory(directory);
});
