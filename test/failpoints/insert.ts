/** Puts failure points into the text of modules. */
import { readFileSync } from 'node:fs';
import type { FailurePoint, Kin, Place } from './failure-point.ts';
import { KINSHIPS, POINTS } from './registry/index.ts';

/** What a place names is not there any more, or there twice. */
export class Rotted extends Error {
  override readonly name = 'Rotted';
}

export const ROOT = new URL('../../', import.meta.url);

/** Nothing happens there unless somebody listens; see src/testing/sim/cluster/inserted-points.ts. */
const PORT = 'globalThis.quorateFailurePoints';

type Insertion = Place & { readonly file: string; readonly text: string };

const textOf = (one: FailurePoint | Kin): string =>
  'name' in one
    ? `${PORT}?.pass?.(${JSON.stringify(one.name)}, ${one.of});`
    : `${PORT}?.adopt?.(${one.child}, ${one.of});`;

/** By file. */
export const INSERTIONS: ReadonlyMap<string, readonly Insertion[]> = Map.groupBy(
  [...KINSHIPS, ...POINTS].map((one) => ({ ...one, text: textOf(one) })),
  ({ file }) => file,
);

/** The text of a file with what is to be inserted; lines keep their numbers. Throws Rotted. */
export function withPoints(file: string, source: string): string {
  // From the end, so that positions hold; points at one position keep the order of the registry.
  const found = (INSERTIONS.get(file) ?? []).map((one, index) => ({
    ...one,
    index,
    at: positionOf(one, source),
  }));
  let text = source;
  for (const one of found.sort((a, b) => b.at - a.at || b.index - a.index))
    text = `${text.slice(0, one.at)}${one.text} ${text.slice(one.at)}`;
  return text;
}

function positionOf(one: Insertion, source: string): number {
  const anchor = 'before' in one ? one.before : one.after;
  const at = source.indexOf(anchor);
  if (at < 0 || source.indexOf(anchor, at + 1) >= 0)
    throw new Rotted(`${one.file} has not exactly one of: ${anchor.split('\n')[0] ?? ''}`);
  return 'before' in one ? at : at + anchor.length;
}

export function readSource(file: string): string {
  return readFileSync(new URL(file, ROOT), 'utf8');
}
