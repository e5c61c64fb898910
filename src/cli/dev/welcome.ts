/** What `quorate dev` shows when everything is ready: what runs where, what is promised, what to type next. */
import type { ClusterDescription } from '../cluster-file.ts';
import { printLine, printTable } from '../output.ts';

export interface WelcomeFacts {
  readonly existed: boolean;
  readonly processes: boolean;
  readonly directory: string;
}

export function printWelcome(
  cluster: ClusterDescription,
  { existed, processes, directory }: WelcomeFacts,
): void {
  const brokers = cluster.nodes.filter((node) => node.roles.includes('broker')).length;
  printLine(`Quorate cluster ${cluster.clusterId}, ready in ${cluster.readyMs} ms`);
  printLine();
  printTable(
    ['NODE', 'ROLE', 'ADDRESS', ...(processes ? ['PID'] : []), 'DATA'],
    cluster.nodes.map((node) => [
      node.id,
      node.roles.join(','),
      node.listeners.CLIENT ?? node.listeners.CONTROLLER ?? '',
      ...(processes ? [node.pid] : []),
      node.dataDir,
    ]),
  );
  printLine();
  printLine(`Data:       ${directory}${existed ? ' (found, and taken up again)' : ' (new)'}`);
  printLine('Durability: acks=all answers when every in-sync replica has synced the record to disk');
  printLine('            (at least min.insync.replicas of them; write.caching=true trades that for speed)');
  printLine();
  printLine('Next, in another terminal:');
  printLine(`  npx quorate topics create lines --partitions 3 --replication-factor ${Math.min(3, brokers)}`);
  printLine('  seq 1000 | npx quorate produce lines');
  printLine('  npx quorate consume lines --from-beginning');
  printLine();
  printLine('Ctrl-C stops it.');
}
