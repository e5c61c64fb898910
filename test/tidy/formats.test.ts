/**
 * docs/formats: one page for every format on a disk, none for what is not written, and bytes that are the golden ones.
 * `RECORD=1 npx vitest run --project unit test/tidy/formats` writes the dumps into the pages.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { findLogFileKind, LOG_FILE_KINDS } from '../../src/log/index.ts';
import { LogFixture } from '../log/log-fixture.ts';
import { ROOT } from './sources.ts';

const RECORD = process.env.RECORD === '1';
const PAGES = join(ROOT, 'docs/formats');
const GOLDEN = join(ROOT, 'test/golden/formats');
/** Formats that are not files of a log by their name. */
const OTHERS = ['record-batch', 'quorum-state', 'quorum-log', 'scrub-checkpoint'];
/** A page is to be read at a glance. */
const PAGE_LINES_MAX = 75;

const formats = [...LOG_FILE_KINDS, ...OTHERS].sort();
const namesIn = (directory: string, suffix: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith(suffix))
    .map((name) => basename(name, suffix))
    .sort();

it('every format has a page and golden bytes, and there are no others', () => {
  expect(namesIn(PAGES, '.md').filter((name) => name !== 'README')).toEqual(formats);
  expect(namesIn(GOLDEN, '.bin')).toEqual(formats);
  const overview = readFileSync(join(PAGES, 'README.md'), 'utf8');
  expect(formats.filter((name) => !overview.includes(`(${name}.md)`))).toEqual([]);
});

it.each(formats)('the page of %s shows its golden bytes, the file that writes it and a source', (name) => {
  const path = join(PAGES, `${name}.md`);
  const text = readFileSync(path, 'utf8');
  const dump = hexdump(readFileSync(join(GOLDEN, `${name}.bin`)));
  const wanted = text.replace(/(```hexdump\n)[^`]*(```\n)/, (_, begin, end) => `${begin}${dump}${end}`);
  if (RECORD) writeFileSync(path, wanted);
  else expect(text, 'run it with RECORD=1 and look at the difference').toBe(wanted);
  expect(wanted).toContain(dump);
  expect(text.split('\n').length).toBeLessThanOrEqual(PAGE_LINES_MAX);
  expect(text).toMatch(/^Source: /m);
  const writer = /\]\(\.\.\/\.\.\/(src\/[\w/.-]+\.ts)\)/.exec(text)?.[1];
  expect(writer !== undefined && existsSync(join(ROOT, writer)), `${writer}`).toBe(true);
});

it('every file that a log leaves in its data directory is of a format with a page', async () => {
  const fixture = await LogFixture.open({ config: { segmentBytes: 500, indexIntervalBytes: 100 } });
  for (let i = 0; i < 20; i++)
    fixture.append([`value ${i}`], { producerId: 1, producerEpoch: 0, baseSequence: i });
  await fixture.flushed();
  fixture.log.setHighWatermark(20);
  await fixture.manager.close({ brokerEpoch: 1 });
  const names = new Set([...(await fixture.files.list('/data')), ...(await fixture.files.list('/data/t-0'))]);
  // Directories, and the lock, which is empty.
  const unknown = [...names].filter((name) => findLogFileKind(name) === undefined);
  expect(unknown.sort()).toEqual(['.logs-lock', 't-0'].filter((name) => names.has(name)));
  const kinds = new Set([...names].map((name) => findLogFileKind(name)?.kind));
  expect(LOG_FILE_KINDS.filter((kind) => !kinds.has(kind))).toEqual(['meta-properties']);
});

/** As `hexdump -C` prints: equal lines after the first are one star. */
function hexdump(bytes: Buffer): string {
  const lines: string[] = [];
  let before = '';
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0'));
    const shown = `${hex.slice(0, 8).join(' ')}  ${hex.slice(8).join(' ')}`.padEnd(48);
    const text = Array.from(row, (byte) =>
      byte >= 32 && byte < 127 && byte !== 0x60 ? String.fromCharCode(byte) : '.',
    );
    const line = `${shown}  |${text.join('')}|`;
    if (line === before) {
      if (lines.at(-1) !== '*') lines.push('*');
    } else lines.push(`${address(at)}  ${line}`);
    before = line;
  }
  return `${[...lines, address(bytes.length)].join('\n')}\n`;
}

function address(at: number): string {
  return at.toString(16).padStart(8, '0');
}
