/** Links that are cut, slowed down, or broken in the middle of a word. */
import { setTimeout as pause } from 'node:timers/promises';
import { type SeededRandom, shuffle } from '../../../src/base/index.ts';
import type { NodePlan } from '../../../src/server/index.ts';
import type { Source, Strike } from '../net/gate.ts';
import { bothWays, type Link, linksBetween, ringCuts } from '../net/links.ts';
import { HOLD, type LinkMode, PASS } from '../net/shape.ts';
import { drawDurationMs, pick } from '../schedule.ts';
import type { Stage } from './stage.ts';

/** A connection that has said too little by then is spared. */
const RESET_WITHIN_MS = 3000;
/** Bits that one step flips, one after the other. */
const FLIPS = 5;

export async function hold(
  stage: Stage,
  step: string,
  links: readonly Link[],
  modeOf: (link: Link) => LinkMode,
  random: SeededRandom,
): Promise<void> {
  const forMs = drawDurationMs(random);
  const shown = links.length > 8 ? `${links.length} links` : links.map((link) => link.join('>')).join(' ');
  stage.say(`  ${step}: ${shown} for ${forMs} ms`);
  await Promise.all(links.map((link) => stage.network.setLink(...link, modeOf(link))));
  await pause(forMs);
  await Promise.all(links.map(([from, to]) => stage.network.setLink(from, to, PASS)));
}

export function cut(stage: Stage, step: string, links: readonly Link[], random: SeededRandom): Promise<void> {
  return hold(stage, step, links, () => HOLD, random);
}

export function everybodyBut(stage: Stage, node: NodePlan): Source[] {
  return stage.nodes.plan.nodes.map(({ id }) => id).filter((id) => id !== node.id);
}

export function isolation(stage: Stage, node: NodePlan, random: SeededRandom): Link[] {
  const others = everybodyBut(stage, node);
  if (random.float() < 0.5) others.push('client');
  return bothWays(linksBetween([node.id], others));
}

/** From a node to one other, to all, or from all to it. */
export function oneWay(stage: Stage, node: NodePlan, random: SeededRandom): Link[] {
  const others = everybodyBut(stage, node);
  switch (random.integer(0, 3)) {
    case 0:
      return linksBetween([node.id], pick(others, 1, random));
    case 1:
      return linksBetween([node.id], others);
    default:
      return linksBetween(others, [node.id]);
  }
}

export function halves(stage: Stage, random: SeededRandom): Link[] {
  const ids = stage.nodes.plan.nodes.map(({ id }) => id);
  const some = pick(ids, random.integer(1, ids.length), random);
  const rest = ids.filter((id) => !some.includes(id));
  return bothWays(linksBetween(some, rest));
}

export function ring(stage: Stage, random: SeededRandom): Link[] {
  return ringCuts(
    shuffle(
      stage.nodes.plan.nodes.map(({ id }) => id),
      random,
    ),
    random.integer(1, 3),
  );
}

/** Some links of all there are, clients' too. */
export function someLinks(stage: Stage, random: SeededRandom): Link[] {
  const ids: Source[] = [...stage.nodes.plan.nodes.map(({ id }) => id), 'client'];
  const all = linksBetween(ids, ids);
  return pick(all, random.integer(1, all.length / 2), random);
}

export function drawDelay(random: SeededRandom): LinkMode {
  return { kind: 'delay', minMs: random.integer(0, 50), jitterMs: random.integer(10, 400) };
}

export function drawThrottle(random: SeededRandom): LinkMode {
  return { kind: 'throttle', bytesPerSecond: Math.round(2000 * 100 ** random.float()) };
}

/** The node's side of its connections vanishes; who talked to it learns so by its own means, or when all is swept. */
export async function halfOpen(
  stage: Stage,
  step: string,
  node: NodePlan,
  random: SeededRandom,
): Promise<void> {
  const forMs = drawDurationMs(random);
  stage.say(`  ${step}: connections to ${node.name}, for ${forMs} ms`);
  for (const source of [...everybodyBut(stage, node), 'client'] as const)
    stage.count('connections half-open', await stage.network.strike(node.id, source, { kind: 'half-open' }));
  await pause(forMs);
  await stage.network.sweep();
}

export async function reset(stage: Stage, step: string, node: NodePlan, random: SeededRandom): Promise<void> {
  stage.say(`  ${step}: connections to ${node.name}`);
  for (const source of [...everybodyBut(stage, node), 'client'] as const) {
    const afterBytes = random.integer(0, 5000);
    const strike: Strike = { kind: 'reset', afterBytes, direction: drawDirection(random) };
    stage.count('connections to be reset', await stage.network.strike(node.id, source, strike));
  }
  await pause(RESET_WITHIN_MS);
  await stage.network.disarm();
}

export async function flipBits(
  stage: Stage,
  step: string,
  where: 'payload' | 'anywhere',
  random: SeededRandom,
): Promise<void> {
  stage.say(`  ${step}: ${FLIPS} times a bit to or from each broker`);
  for (let times = 0; times < FLIPS; times++) {
    for (const { id } of stage.nodes.brokers) {
      const others = stage.nodes.brokers.map((node): Source => node.id).filter((other) => other !== id);
      const [source = 'client'] = pick([...others, 'client' as const], 1, random);
      await stage.network.strike(id, source, { kind: 'flip', where, direction: drawDirection(random) });
    }
    await pause(random.integer(50, 500));
  }
  await stage.network.disarm();
}

function drawDirection(random: SeededRandom): 'there' | 'back' {
  return random.float() < 0.5 ? 'there' : 'back';
}
