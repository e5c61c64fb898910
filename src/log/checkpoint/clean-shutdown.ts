import type { BrokerEpoch } from '../../base/index.ts';
import { NONE } from '../../base/index.ts';
import { type Files, readWholeFile, replaceFile } from '../../env/index.ts';

export const CLEAN_SHUTDOWN = '.kafka_cleanshutdown';

/**
 * The mark of a clean stop, with the broker epoch that ended: `{"version":0,"brokerEpoch":n}`. It is taken
 * away before anything is written, so a crash leaves none. Source: KIP-966, Kafka's
 * CleanShutdownFileHandler.
 */
export async function saveCleanShutdown(
  files: Files,
  directory: string,
  brokerEpoch: BrokerEpoch,
): Promise<void> {
  await replaceFile(
    files,
    `${directory}/${CLEAN_SHUTDOWN}`,
    Buffer.from(JSON.stringify({ version: 0, brokerEpoch })),
  );
}

/**
 * Whether the last stop was clean, and its broker epoch (-1: unknown). The mark is gone, durably, when it
 * resolves.
 */
export async function takeCleanShutdown(
  files: Files,
  directory: string,
): Promise<{ readonly clean: boolean; readonly brokerEpoch: BrokerEpoch }> {
  const bytes = await readWholeFile(files, `${directory}/${CLEAN_SHUTDOWN}`);
  if (bytes === undefined) return { clean: false, brokerEpoch: NONE };
  await files.remove(`${directory}/${CLEAN_SHUTDOWN}`);
  await files.syncDirectory(directory);
  return { clean: true, brokerEpoch: decodeCleanShutdown(bytes) };
}

/** The broker epoch in a mark; -1: it says none, and is a mark all the same. */
export function decodeCleanShutdown(bytes: Buffer): BrokerEpoch {
  const match = /"brokerEpoch":(\d+)/.exec(bytes.toString());
  return match === null ? NONE : Number(match[1]);
}
