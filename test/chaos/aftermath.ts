/**
 * What must hold when everything runs again and nobody writes: in-sync sets full, replicas equal byte for byte, one image of
 * the metadata, every broker serving the same records, nothing alarming in the logs of the nodes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../../src/client/index.ts';
import { createClient } from '../../src/index.ts';
import type { Address } from '../../src/rpc/api/index.ts';
import type { NodePlan } from '../../src/server/index.ts';
import type { Nodes } from './nodes.ts';
import type { Observations } from './observations.ts';

/** Polls until `check` names no problem any more; gives how long that took, or notes the last problem. */
export async function settle(
  history: Observations,
  what: string,
  limitMs: number,
  check: () => Promise<string | undefined>,
): Promise<number> {
  const beganMs = performance.now();
  for (;;) {
    const problem = await check().catch((error: unknown) => String(error));
    const tookMs = performance.now() - beganMs;
    if (problem === undefined) return Math.round(tookMs);
    if (tookMs > limitMs) {
      history.find(`${what} not within ${limitMs} ms: ${problem}`);
      return Number.POSITIVE_INFINITY;
    }
    await pause(100);
  }
}

export async function isrProblem(admin: Client['admin']): Promise<string | undefined> {
  for (const topic of await admin.listTopics({ timeoutMs: 3000 }))
    for (const { partition, leaderId, isr, replicas } of topic.partitions)
      if (leaderId < 0 || isr.length < replicas.length)
        return `${topic.name}-${partition}: leader ${leaderId}, isr ${isr} of ${replicas}`;
  return undefined;
}

/** Every node's digest by offset, asked of each broker by itself. */
export async function digestProblem(nodes: Nodes): Promise<string | undefined> {
  const digests = new Map<number, string>();
  const seen: string[] = [];
  for (const node of nodes.brokers) {
    await using client = createClient({
      bootstrap: formatOf(node.listeners.CLIENT),
      clientId: 'chaos-digest',
    });
    const { digest } = await client.admin.describeCluster({ timeoutMs: 3000 });
    seen.push(`broker ${digest.nodeId}: ${digest.digest.slice(0, 12)} at ${digest.offset}`);
    digests.set(digest.offset, digests.get(digest.offset) ?? digest.digest);
    if (digests.get(digest.offset) !== digest.digest) return `DIFFERENT IMAGES: ${seen.join(', ')}`;
  }
  return digests.size === 1 ? undefined : `different offsets: ${seen.join(', ')}`;
}

/** Reads `topic` from the beginning with one broker as the only address known at first; it must get all that it is told of. */
export async function readAll(
  history: Observations,
  topic: string,
  partitions: number,
  node: NodePlan,
): Promise<void> {
  const who = `final-reader-of-${topic}-at-${node.id}`;
  try {
    await using client = createClient({ bootstrap: formatOf(node.listeners.CLIENT), clientId: who });
    const consumer = client.consumer({ topic, from: 'beginning', offsetReset: 'none' });
    const ends = await history.askEnds(who, topic, partitions, consumer);
    const positions = await history.read(who, topic, partitions, consumer.batchesUntilEnd());
    for (const [partition, end] of ends)
      if ((positions.get(partition) ?? 0) < end)
        history.find(
          `${who} was told that ${partition} ends at ${end}, and got to ${positions.get(partition)}`,
        );
  } catch (error) {
    history.find(`${who}: ${String(error)}`);
  }
}

/** Compares the bytes of every partition's segments over its replicas; only when nobody writes. */
export function replicaProblem(nodes: Nodes): string | undefined {
  const [one, ...others] = nodes.brokers.map(({ directory }) => directory);
  if (one === undefined) return undefined;
  for (const name of partitionsIn(one)) {
    const bytes = bytesOf(`${one}/${name}`);
    for (const other of others) {
      const theirs = bytesOf(`${other}/${name}`);
      if (!bytes.equals(theirs))
        return `${name}: ${bytes.length} bytes in ${one}, ${theirs.length} in ${other}`;
    }
  }
  return undefined;
}

export function inspectLogs(nodes: Nodes, history: Observations): Map<string, number> {
  const counts = new Map<string, number>();
  for (const node of nodes.plan.nodes) {
    let at = 0;
    for (const line of readFileSync(nodes.logOf(node), 'latin1').split('\n')) {
      const position = at;
      at += line.length + 1;
      if (line === '' || /"level":"(info|debug)"/.test(line)) continue;
      const isExcused = nodes.excusesOf(node.id).some(({ from, to }) => from <= position && position < to);
      const isWarning = /"level":("warn"|40)/.test(line);
      const message = /"msg":"([^"]*)"/.exec(line)?.[1] ?? line.slice(0, 120);
      const level = isWarning ? 'warn' : isExcused ? 'error (disk fault)' : 'ERROR';
      const kind = `${node.role} ${level}: ${message}`;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      if (level === 'ERROR' && counts.get(kind) === 1)
        history.find(`${node.name} says: ${line.slice(0, 900)}`);
    }
  }
  return counts;
}

/** Not those that were set aside: what a disk refused to read, its broker has fetched anew. */
function partitionsIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => /-\d+\/\d{20}\.log$/.test(path))
    .map((path) => path.replace(/\/\d{20}\.log$/, ''))
    .filter((path, index, all) => all.indexOf(path) === index);
}

function bytesOf(directory: string): Buffer {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.log'));
    return Buffer.concat(names.sort().map((name) => readFileSync(`${directory}/${name}`)));
  } catch {
    return Buffer.alloc(0);
  }
}

function formatOf(address: Address | undefined): string {
  return `${address?.host}:${address?.port}`;
}
