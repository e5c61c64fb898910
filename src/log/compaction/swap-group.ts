/** A group of segments gives way to the file that was made of it: the log has nothing else to do meanwhile. */
import { EnvironmentError } from '../../base/index.ts';
import type { LogState } from '../log-state.ts';
import type { Segment } from '../segment/segment.ts';
import type { CleanedFile } from './cleaned-file.ts';
import { decideSwap, finishSwap } from './swap-files.ts';

/**
 * Swaps `cleaned` in for `old`, neighbours, if `mayGo` says so when the log has time for it; resolves with whether it did.
 * Rejects with EnvironmentError when the disk is full, and nothing was changed.
 */
export async function swapGroup(
  log: LogState,
  old: readonly Segment[],
  cleaned: CleanedFile,
  mayGo: () => boolean,
): Promise<boolean> {
  const { segments, around, reader, directory, tail } = log;
  const made = cleaned.toSegment(around.files, directory);
  // Without timestamps a segment is as old as it was.
  const grown = old.at(-1)?.grown;
  if (grown !== undefined) made.grown = { sizeBytes: made.sizeBytes, byMs: grown.byMs };
  const absorbed = old.slice(1).map(({ baseOffset }) => baseOffset);
  let isSwapped = false;
  let refusal: unknown;
  await log.exclusively(async () => {
    if (!mayGo()) return;
    const release = reader.hold();
    try {
      refusal = await refusalOf(() => decideSwap(around.files, directory, made.baseOffset));
      isSwapped = refusal === undefined;
      if (!isSwapped) return;
      for (const segment of old) {
        segments.pool.forget(segment);
        await segment.close();
      }
      // Without, it is made anew when it is wanted.
      const saveIndex = () => refusalOf(() => made.saveIndex());
      await finishSwap(around.files, directory, made.baseOffset, absorbed, saveIndex);
      await made.close();
      segments.replace(old, made);
      // From memory the log would look as if it had not been compacted.
      tail.forgetBelow(cleaned.endOffset);
    } finally {
      release();
    }
  });
  if (refusal !== undefined) throw refusal;
  return isSwapped;
}

/** Of a disk that has no room, and has changed nothing; undefined: it was done. Rejects with what else goes wrong. */
async function refusalOf(task: () => Promise<void>): Promise<EnvironmentError | undefined> {
  try {
    await task();
    return undefined;
  } catch (error) {
    if (error instanceof EnvironmentError && error.reason === 'disk-full') return error;
    throw error;
  }
}
