import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Exhibit, NamedExhibit } from './exhibit.ts';

const ROOMS = join(import.meta.dirname, 'exhibits');

/** All exhibits, by name; the canary first. */
export async function loadExhibits(): Promise<NamedExhibit[]> {
  const exhibits: NamedExhibit[] = [];
  for (const file of readdirSync(ROOMS).sort()) {
    if (!file.endsWith('.ts')) continue;
    const loaded: { readonly exhibit: Exhibit } = await import(pathToFileURL(join(ROOMS, file)).href);
    exhibits.push({ ...loaded.exhibit, name: file.slice(0, -'.ts'.length) });
  }
  return exhibits.toSorted((a, b) => Number(b.isCanary === true) - Number(a.isCanary === true));
}
