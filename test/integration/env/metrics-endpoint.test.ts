import { expect, it } from 'vitest';
import { openMetricsEndpoint } from '../../../src/env/node/index.ts';

const HERE = { host: '127.0.0.1', port: 0 };

it('a metrics endpoint shows what was counted, and nothing at other paths', async () => {
  const endpoint = await openMetricsEndpoint(HERE, { node: '1' });
  endpoint.metrics.counter('things_total', 'things').add(3);
  const base = `http://127.0.0.1:${endpoint.port}`;
  expect(await (await fetch(`${base}/metrics`)).text()).toMatch(/quorate_things_total\{node="1"\} 3/);
  expect((await fetch(`${base}/`)).status).toBe(404);
  await endpoint.close();
});

it('a metrics endpoint says which address is in use', async () => {
  const first = await openMetricsEndpoint(HERE, {});
  const second = openMetricsEndpoint({ ...HERE, port: first.port }, {});
  await expect(second).rejects.toMatchObject({
    reason: 'address-in-use',
    subject: `127.0.0.1:${first.port}`,
  });
  await first.close();
});
