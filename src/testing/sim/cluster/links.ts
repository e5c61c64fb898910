/** Links between two machines, both ways. */
import type { Machine } from './machine.ts';
import type { SimWorld } from './world.ts';

export function cutBothWays({ network }: SimWorld, a: Machine, b: Machine): void {
  network.cut(a.name, b.name);
  network.cut(b.name, a.name);
}

export function healBothWays({ network }: SimWorld, a: Machine, b: Machine): void {
  network.heal(a.name, b.name);
  network.heal(b.name, a.name);
}
