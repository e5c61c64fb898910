import { expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { createClient, VERSION } from '../src/index.ts';

it('the package says the same version in code and manifest', () => {
  expect(VERSION).toBe(manifest.version);
});

it('a client is made without I/O and closed without having connected', async () => {
  await using client = createClient({ bootstrap: 'localhost:1' });
  expect(client.admin).toBeDefined();
  expect(() => createClient({ bootstrap: 'nonsense' })).toThrow(/host:port/);
});
