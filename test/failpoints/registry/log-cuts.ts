/** What is taken away from a log: at its end, at its start, and in between by compaction. */
import { type FailurePoint, inFile } from '../failure-point.ts';

const FILES = 'this.#log.around.files';

export const CUT_POINTS: readonly FailurePoint[] = [
  ...inFile('src/log/log-cutter.ts', [
    {
      name: 'log.truncate.before-checkpoints',
      after: 'log.epochs.cache.truncateFromEnd(endOffset);',
      of: FILES,
    },
    {
      name: 'log.truncate.before-files',
      before: 'await this.#changeFiles(() => truncateSegments(log.segments, endOffset));',
      of: FILES,
    },
    {
      name: 'log.truncate.after-files',
      after: 'await this.#changeFiles(() => truncateSegments(log.segments, endOffset));',
      of: FILES,
    },
    {
      name: 'log.cut.before-epochs',
      before: 'await log.epochs.settled();',
      of: FILES,
    },
    {
      name: 'log.cut.before-appends',
      before: 'log.writer.restart(log.segments.active, log.logEndOffset);',
      of: FILES,
    },
    {
      name: 'log.restart.before-decision',
      before: 'await decideRestart(log.segments, offset, producers);',
      of: FILES,
    },
    {
      name: 'log.restart.after-decision',
      after: 'await decideRestart(log.segments, offset, producers);',
      of: FILES,
    },
    {
      name: 'log.restart.after-files',
      after: 'await beginAnew(log.segments, offset, producers);',
      of: FILES,
    },
    {
      name: 'log.restart.after-checkpoints',
      before: 'log.producers = producers;',
      of: FILES,
    },
    {
      name: 'log.start.before-save',
      before: 'if (log.segments.all[0]?.baseOffset !== saved) await this.#saveLogStart();',
      of: FILES,
    },
    {
      name: 'log.start.after-save',
      after: 'if (log.segments.all[0]?.baseOffset !== saved) await this.#saveLogStart();',
      of: FILES,
    },
  ]),
  ...inFile('src/log/segment/segment-list.ts', [
    { name: 'log.segment.before-remove', before: 'await segment.remove();', of: 'this.files' },
    { name: 'log.segment.after-remove', after: 'await segment.remove();', of: 'this.files' },
  ]),
  ...inFile('src/log/segment/truncate-segments.ts', [
    { name: 'log.truncate.before-cut', before: 'await handle.truncate(end.position);', of: 'segments.files' },
    { name: 'log.truncate.before-sync', after: 'await handle.truncate(end.position);', of: 'segments.files' },
  ]),
  ...inFile('src/log/segment/doomed-segment.ts', [
    {
      name: 'log.head.before-rename',
      before: 'for (const suffix of FILES_OF_SEGMENT) await renameIfThere(files,',
      of: 'files',
    },
    { name: 'log.head.after-rename', before: 'await files.syncDirectory(directory);', of: 'files' },
  ]),
  ...inFile('src/log/segment/delayed-removals.ts', [
    {
      name: 'log.removal.before',
      before: 'await (this.#closed ? doomed.close() : doomed.remove());',
      of: 'this.#timers',
    },
  ]),
  ...inFile('src/log/compaction/cleaning.ts', [
    {
      name: 'log.compact.before-swap',
      before: 'isSwapped = await swapGroup(this.#log, old, cleaned, mayGo);',
      of: 'files',
      reach: 'chaos',
    },
  ]),
  ...inFile('src/log/compaction/swap-group.ts', [
    {
      name: 'log.compact.after-decision',
      before: 'isSwapped = refusal === undefined;',
      of: 'around.files',
      reach: 'chaos',
    },
  ]),
  ...inFile('src/log/compaction/swap-files.ts', [
    { name: 'log.compact.before-indexes', before: 'await saveIndex?.();', of: 'files', reach: 'chaos' },
    {
      name: 'log.compact.before-rename',
      before: 'await files.rename(swapPath(directory, baseOffset),',
      of: 'files',
      reach: 'chaos',
    },
    {
      name: 'log.compact.after-rename',
      after: '}.log`);',
      of: 'files',
      reach: 'chaos',
    },
  ]),
];
