/** The log of a partition: appended, rolled, opened, closed. What is taken away from it: log-cuts.ts. */
import { type FailurePoint, inFile } from '../failure-point.ts';

export const LOG_POINTS: readonly FailurePoint[] = [
  ...inFile('src/log/append/log-appender.ts', [
    {
      name: 'log.append.before-queue',
      before: 'log.writer.enqueue(log.segments.active, batch, log.logEndOffset);',
      of: 'log.around.files',
    },
  ]),
  ...inFile('src/log/append/log-writer.ts', [
    { name: 'log.flush.before-tell', before: 'this.flushed.advance(target);', of: 'this' },
    { name: 'log.flush.after-tell', after: 'this.flushed.advance(target);', of: 'this' },
    { name: 'log.roll.before-sync', before: 'await this.#ports.sync(closed);', of: 'this' },
    { name: 'log.roll.before-retire', before: 'await this.#ports.retire(closed);', of: 'this' },
    { name: 'log.roll.before-create', before: 'await this.#ports.create(next);', of: 'this' },
    { name: 'log.roll.after-create', after: 'await this.#ports.create(next);', of: 'this' },
  ]),
  ...inFile('src/log/segment/segment.ts', [
    {
      name: 'log.write.before',
      before: 'await handle.write(buffers, this.writtenBytes);',
      of: 'this.#files',
    },
    {
      name: 'log.write.after',
      after: 'await handle.write(buffers, this.writtenBytes);',
      of: 'this.#files',
    },
    {
      name: 'log.sync.before',
      before: 'await Promise.all([this.handle.sync(), earlier]);',
      of: 'this.#files',
    },
    {
      name: 'log.sync.after',
      after: 'await Promise.all([this.handle.sync(), earlier]);',
      of: 'this.#files',
    },
    {
      name: 'log.index.before-rename',
      before: 'await this.#files.rename(`',
      of: 'this.#files',
    },
    {
      name: 'log.index.between-files',
      after: "await this.#save('index', index.offsets.encode());",
      of: 'this.#files',
    },
  ]),
  ...inFile('src/log/segment/segment-list.ts', [
    {
      name: 'log.segment.after-snapshot',
      after: 'await segment.saveSnapshot();',
      of: 'this.files',
    },
    {
      name: 'log.segment.before-name-is-durable',
      after: 'await this.pool.create(segment, this.#how());',
      of: 'this.files',
    },
  ]),
  ...inFile('src/log/open/open-log.ts', [
    {
      name: 'log.open.before-leftovers',
      before: 'let names = await removeLeftovers(',
      of: 'files',
    },
    {
      name: 'log.recover.before-cut',
      before: 'await handle.truncate(end.position);',
      of: 'files',
    },
    {
      name: 'log.recover.before-rewrite',
      before: 'await writeAgain(handle, unsyncedFrom, end.position);',
      of: 'files',
    },
    {
      name: 'log.recover.before-sync',
      after: 'await writeAgain(handle, unsyncedFrom, end.position);',
      of: 'files',
    },
  ]),
  ...inFile('src/log/close-log.ts', [
    {
      name: 'log.close.before-index',
      before: 'await active.saveIndex();',
      of: 'around.files',
    },
    {
      name: 'log.close.before-snapshot',
      before: 'if (producers.savedOffset !== log.logEndOffset)',
      of: 'around.files',
    },
  ]),
  ...inFile('src/log/epoch/epoch-checkpoint.ts', [
    {
      name: 'log.epochs.before-save',
      before: 'const entries = this.#held ?? this.cache.entries;',
      of: 'this.#files',
    },
  ]),
  ...inFile('src/log/directory/log-directory.ts', [
    {
      name: 'log.directory.before-clean-mark',
      before: 'if (this.#failure === undefined && clean.every(Boolean))',
      of: 'this.#around.files',
    },
  ]),
  ...inFile('src/log/checkpoint/clean-shutdown.ts', [
    {
      name: 'log.directory.before-clean-mark-is-gone',
      before: 'await files.remove(`',
      of: 'files',
    },
  ]),
  ...inFile('src/log/checkpoint/checkpoints.ts', [
    {
      name: 'log.checkpoint.before-file',
      before: 'await replaceFile(files,',
      of: 'files',
    },
    {
      name: 'log.checkpoint.after-file',
      after: 'encodeCheckpoint(lines));',
      of: 'files',
    },
  ]),
  ...inFile('src/log/directory/log-places.ts', [
    {
      name: 'log.make.before-topic-id',
      before: 'await savePartitionMetadata(this.#files, directory, topicId);',
      of: 'this.#files',
    },
    {
      name: 'log.make.before-name-is-durable',
      after: 'await savePartitionMetadata(this.#files, directory, topicId);',
      of: 'this.#files',
    },
    {
      name: 'log.aside.before-rename',
      before: 'await this.#files.rename(directory, aside);',
      of: 'this.#files',
    },
    {
      name: 'log.aside.before-name-is-durable',
      after: 'await this.#files.rename(directory, aside);',
      of: 'this.#files',
    },
  ]),
];
