/** Sets of directed links, for cuts of every shape. Pure. */
import type { Source } from './gate.ts';

export type Link = readonly [from: Source, to: Source];

/** From each of `these` to each of `those`. */
export function linksBetween(these: readonly Source[], those: readonly Source[]): Link[] {
  return these.flatMap((from) => those.filter((to) => to !== from).map((to): Link => [from, to]));
}

export function bothWays(links: readonly Link[]): Link[] {
  return links.flatMap(([from, to]): Link[] => [
    [from, to],
    [to, from],
  ]);
}

/**
 * What is cut so that each member of a ring hears only those up to `reach` places away: everybody may see a majority, and no
 * two the same one.
 */
export function ringCuts(ring: readonly number[], reach: number): Link[] {
  return ring.flatMap((from, i) =>
    ring.flatMap((to, j): Link[] => {
      const apart = Math.abs(i - j);
      return Math.min(apart, ring.length - apart) > reach ? [[from, to]] : [];
    }),
  );
}
