/** Disks and clocks that do what they should not; all by way of the shim. */
import { setTimeout as pause } from 'node:timers/promises';
import type { SeededRandom } from '../../../src/base/index.ts';
import type { NodePlan } from '../../../src/server/index.ts';
import { type DiskFaults, ERRNO, type ShimmedDisk } from '../disk/shim.ts';
import { drawDurationMs } from '../schedule.ts';
import { kill } from './processes.ts';
import type { Stage } from './stage.ts';

/** What a broken disk still causes a little later. */
const EXCUSE_MS = 3000;
/** Sooner it would be whole again before anybody used it. */
const BROKEN_MS_MIN = 1000;
const DAY_S = 86_400;

/** Kills, and leaves on the disk of each what would be there after power loss. */
export function losePower(
  stage: Stage,
  step: string,
  targets: readonly NodePlan[],
  random: SeededRandom,
): Promise<void> {
  return kill(stage, step, targets, random, undefined, (node) => loseUnsynced(stage, node, random));
}

/** The disk fails in one way for a while. A node that gave up is started again; one that goes on may, or not. */
export async function breakDisk(
  stage: Stage,
  step: string,
  node: NodePlan,
  random: SeededRandom,
  faults: DiskFaults,
): Promise<void> {
  const { nodes, say } = stage;
  const forMs = Math.max(BROKEN_MS_MIN, drawDurationMs(random));
  const isRestarted = random.float() < 0.5 && step !== 'disk-full';
  const isLost = random.float() < 0.5;
  const disk = diskOf(stage, node);
  if (nodes.isExcused(node.id)) return;
  say(`  ${step}: ${node.name} for ${forMs} ms ${JSON.stringify(faults)}`);
  nodes.excuse(node.id);
  const refusedBefore = disk.refused;
  disk.set(faults);
  await pause(forMs);
  disk.heal();
  stage.count(`${step}: calls refused`, disk.refused - refusedBefore);
  const goneByItself = !nodes.isRunning(node.id);
  if (goneByItself) stage.count(`${step}: nodes that gave up`);
  if (goneByItself || isRestarted) {
    await nodes.end(node.id, 'SIGKILL');
    if (isLost) loseUnsynced(stage, node, random);
    nodes.start(node);
  }
  await pause(EXCUSE_MS);
  nodes.excuseNoMore(node.id);
  nodes.start(node);
}

export async function slowSync(
  stage: Stage,
  step: string,
  node: NodePlan,
  random: SeededRandom,
): Promise<void> {
  const forMs = drawDurationMs(random);
  const syncDelayMs = Math.round(10 * 300 ** random.float());
  stage.say(`  ${step}: ${node.name} for ${forMs} ms, ${syncDelayMs} ms each`);
  diskOf(stage, node).set({ syncDelayMs });
  await pause(forMs);
  diskOf(stage, node).set({ syncDelayMs: 0 });
}

/** The wall clock of a node jumps, and jumps back later. */
export async function jumpClock(
  stage: Stage,
  step: string,
  node: NodePlan,
  random: SeededRandom,
): Promise<void> {
  const forMs = drawDurationMs(random);
  const clockOffsetS = Math.round(DAY_S ** random.float()) * (random.float() < 0.5 ? -1 : 1);
  stage.say(`  ${step}: ${node.name} by ${clockOffsetS} s for ${forMs} ms`);
  diskOf(stage, node).set({ clockOffsetS });
  await pause(forMs);
  diskOf(stage, node).set({ clockOffsetS: 0 });
}

export const WRITE_ERROR: DiskFaults = { writeErrno: ERRNO.EIO };
export const SYNC_ERROR: DiskFaults = { syncErrno: ERRNO.EIO };
export const READ_ERROR: DiskFaults = { readErrno: ERRNO.EIO };
export const FULL: DiskFaults = { writeErrno: ERRNO.ENOSPC };

function loseUnsynced(stage: Stage, node: NodePlan, random: SeededRandom): void {
  stage.noteLoss(node);
  const { names, files, bytes } = diskOf(stage, node).losePower(random);
  stage.say(`  ${node.name} loses ${names} names, ${bytes} bytes of ${files} files`);
  stage.count('power losses');
  stage.count('power losses: names lost', names);
  stage.count('power losses: files cut or changed', files);
  stage.count('power losses: bytes lost', bytes);
}

function diskOf(stage: Stage, { id, name }: NodePlan): ShimmedDisk {
  const disk = stage.disks.get(id);
  if (disk === undefined) throw new Error(`${name} has no shim`);
  return disk;
}
