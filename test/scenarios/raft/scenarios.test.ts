/** Each file is one story with its golden output. `QUORATE_RECORD=1` records what happens now; review the diff. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { play } from './scenario.ts';

const directory = new URL('.', import.meta.url);

for (const name of readdirSync(directory).filter((file) => file.endsWith('.txt'))) {
  it(`${name.replace('.txt', '').replaceAll('-', ' ')} goes as told`, () => {
    const url = new URL(name, directory);
    const recorded = readFileSync(url, 'utf8');
    const played = play(recorded);
    if (process.env.QUORATE_RECORD === '1') writeFileSync(url, played);
    else expect(played).toBe(recorded);
  });
}
