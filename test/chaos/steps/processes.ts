/** Processes that are killed, stopped and started. */
import { setTimeout as pause } from 'node:timers/promises';
import type { SeededRandom } from '../../../src/base/index.ts';
import type { NodePlan } from '../../../src/server/index.ts';
import { POINTS } from '../../failpoints/registry/index.ts';
import { drawDurationMs, pick } from '../schedule.ts';
import { namesOf, type Stage } from './stage.ts';

const DOWN_MS_MAX = 9000;
const WHOLE_PATIENCE_MS = 10_000;
const STOP_PATIENCE_MS = 20_000;
const READY_POLLS_MAX = 50;
/** A node gets to one of so many points within some seconds. */
const POINTS_ARMED = 10;
const POINT_POLLS_MAX = 80;
const POINT_PASSES_MAX = 20;
const POINTS_OF_PROCESSES = POINTS.filter(({ reach }) => reach !== 'simulation').map(({ name }) => name);

/** Down for up to `longestMs`; `meanwhile` runs when the processes are gone. Every other time the cluster is whole before. */
export async function kill(
  stage: Stage,
  step: string,
  targets: readonly NodePlan[],
  random: SeededRandom,
  longestMs = DOWN_MS_MAX,
  meanwhile = (_: NodePlan): void => {},
): Promise<void> {
  const { nodes, failovers, say } = stage;
  const downMs = random.integer(0, longestMs);
  if (longestMs === DOWN_MS_MAX && random.float() < 0.5) await stage.wait(WHOLE_PATIENCE_MS);
  const killClass = await stage.killClassOf(targets);
  const victims = targets.filter(({ id }) => nodes.isRunning(id));
  if (victims.length === 0) return;
  const failover = failovers.note(step, killClass, namesOf(victims));
  say(`  ${step}: kill -9 ${namesOf(victims)}, for ${downMs} ms`);
  stage.count('processes killed', victims.length);
  await Promise.all(victims.map(({ id }) => nodes.end(id, 'SIGKILL')));
  for (const node of victims) if (!nodes.isRunning(node.id)) meanwhile(node);
  await pause(downMs);
  for (const node of victims) nodes.start(node);
  failovers.noteRestart(failover);
}

export async function crashLoop(
  stage: Stage,
  step: string,
  node: NodePlan,
  random: SeededRandom,
): Promise<void> {
  for (let times = random.integer(2, 5); times > 0; times--) await kill(stage, step, [node], random, 1500);
}

/** Started again so that it kills itself at a point of its own code; then as it should be, whether it got there or not. */
export async function crashAtPoint(
  stage: Stage,
  step: string,
  node: NodePlan,
  random: SeededRandom,
): Promise<void> {
  const { nodes, say } = stage;
  const points = pick(POINTS_OF_PROCESSES, POINTS_ARMED, random).map(
    (name) => `${name}:kill@${Math.floor((POINT_PASSES_MAX + 1) ** random.float())}`,
  );
  const downMs = random.integer(0, DOWN_MS_MAX);
  if (!nodes.isRunning(node.id)) return;
  stage.failovers.disturb();
  await nodes.end(node.id, 'SIGKILL');
  const before = nodes.deathsOf(node).length;
  nodes.start(node, points.join(','));
  for (let polls = 0; polls < POINT_POLLS_MAX && nodes.isRunning(node.id); polls++) await pause(100);
  const where = nodes.deathsOf(node)[before] ?? 'none of its points';
  say(`  ${step}: ${node.name} at ${where}, for ${downMs} ms`);
  stage.count(`${step}: at ${where}`);
  stage.failovers.disturb();
  await nodes.end(node.id, 'SIGKILL');
  await pause(downMs);
  nodes.start(node);
}

export async function suspend(
  stage: Stage,
  step: string,
  targets: readonly NodePlan[],
  random: SeededRandom,
): Promise<void> {
  const { nodes, say } = stage;
  const forMs = drawDurationMs(random);
  const victims = targets.filter(({ id }) => nodes.isUp(id));
  say(`  ${step}: SIGSTOP ${namesOf(victims)} for ${forMs} ms`);
  for (const { id } of victims) nodes.pause(id);
  await pause(forMs);
  for (const { id } of victims) nodes.resume(id);
}

export async function restart(stage: Stage, step: string, node: NodePlan): Promise<void> {
  const { nodes, say } = stage;
  const killClass = await stage.killClassOf([node]);
  if (!nodes.isRunning(node.id)) return;
  if (node.role === 'broker') stage.failovers.note(step, killClass, node.name);
  else stage.failovers.disturb();
  say(`  ${step}: SIGTERM ${node.name}`);
  const beganMs = performance.now();
  const late = setTimeout(() => {
    stage.count('stops that took too long and became kills');
    void nodes.end(node.id, 'SIGKILL');
  }, STOP_PATIENCE_MS);
  await nodes.end(node.id, 'SIGTERM');
  clearTimeout(late);
  const tookMs = performance.now() - beganMs;
  if (tookMs > 8000) say(`  ${node.name} took ${Math.round(tookMs)} ms to stop`);
  nodes.start(node);
  for (let polls = 0; polls < READY_POLLS_MAX && nodes.isRunning(node.id) && !nodes.isReady(node.id); polls++)
    await pause(100);
}

export async function createTopic(stage: Stage): Promise<void> {
  const name = `extra-${stage.topics++}`;
  await stage.admin.createTopic(name, { partitions: 4, replicationFactor: 3 }, { timeoutMs: 8000 });
  stage.say(`  ${name} is created`);
}
