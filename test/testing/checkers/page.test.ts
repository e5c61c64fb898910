import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ANOMALY_KINDS } from '../../../src/testing/checkers/index.ts';

it('the page explains every kind, and no others', () => {
  const page = readFileSync(new URL('../../../docs/testing/checker.md', import.meta.url), 'utf8');
  const rows = page.split('\n').filter((line) => /^\| `/.test(line));
  const explained = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, kind]) => kind),
  );
  expect(explained.toSorted()).toEqual([...ANOMALY_KINDS].sort());
});
