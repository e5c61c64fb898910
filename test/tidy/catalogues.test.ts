import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ERRORS, SERVER_CONFIG_KEYS, TOPIC_CONFIG_KEYS } from '../../src/base/index.ts';
import { CATALOGUES, readMetrics, withTable } from './catalogues.ts';
import { ROOT } from './sources.ts';

/** `RECORD=1 npx vitest run --project unit test/tidy/catalogues` writes the tables anew. */
const RECORD = process.env.RECORD === '1';

it.each(CATALOGUES)('the table of $name in $file is the one in the code', (catalogue) => {
  const path = join(ROOT, catalogue.file);
  const text = readFileSync(path, 'utf8');
  const wanted = withTable(text, catalogue);
  if (RECORD && wanted !== undefined) writeFileSync(path, wanted);
  else expect(text, 'run it with RECORD=1 and look at the difference').toBe(wanted);
  expect(wanted).toBeDefined();
});

it('no two errors share a number', () => {
  const codes = Object.values(ERRORS).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
});

it('each server key with a topic key names one that exists, and has its default', () => {
  for (const [name, key] of Object.entries(SERVER_CONFIG_KEYS)) {
    if (key.topic === undefined) continue;
    expect(TOPIC_CONFIG_KEYS, name).toHaveProperty([key.topic]);
    expect(key.default, name).toBe(TOPIC_CONFIG_KEYS[key.topic]?.default);
  }
});

it('metrics are named once, and by their unit', () => {
  const metrics = readMetrics();
  expect(metrics.length).toBeGreaterThan(20);
  expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length);
  for (const { kind, name } of metrics) {
    expect(name.endsWith('_total'), name).toBe(kind === 'counter');
    if (kind === 'histogram') expect(name).toMatch(/_(ms|bytes)$/);
  }
});
