/**
 * The replicas of each partition, held against each other in the end: from where the last of their logs begins, all have the
 * same batches. By what readers see, for with write caching no disk need have it.
 */
import type { NodeId, Offset } from '../../../../base/index.ts';
import type { MemoryFiles } from '../../../twins/index.ts';
import { LawBroken } from '../law-broken.ts';
import { type DurableFiles, DurableLog, type StoredBatch } from './durable-log.ts';

type ReadableFiles = Pick<MemoryFiles, 'paths' | 'contents'>;

interface Copy {
  readonly broker: NodeId;
  readonly logStart: Offset;
  readonly batches: readonly StoredBatch[];
}

export class EqualLogs {
  readonly #copies = new Map<string, Copy[]>();

  add(partition: string, broker: NodeId, logStart: Offset, files: ReadableFiles, directory: string): void {
    const batches = new DurableLog(asReadersSee(files, directory), directory).all();
    this.#copies.set(partition, [...(this.#copies.get(partition) ?? []), { broker, logStart, batches }]);
  }

  /** Throws LawBroken. */
  check(): void {
    for (const [partition, copies] of this.#copies) {
      const from = Math.max(...copies.map(({ logStart }) => logStart));
      const [first, ...others] = copies.map(({ broker, batches }) => ({
        broker,
        text: describe(batches, from),
      }));
      for (const other of others) {
        if (first === undefined || other.text === first.text) continue;
        throw new LawBroken('in the end all replicas are the same', { partition, from, first, other });
      }
    }
  }
}

/** Batches that reach beyond `from`. */
function describe(batches: readonly StoredBatch[], from: Offset): string {
  return batches
    .filter(({ end }) => end > from)
    .map(({ base, end, epoch, crc }) => `${base}-${end} ${epoch} ${crc.toString(16)}`)
    .join(', ');
}

/** Not what a power failure would leave. */
function asReadersSee(files: ReadableFiles, directory: string): DurableFiles {
  const inside = files.paths().filter((path) => path.startsWith(`${directory}/`) && path.endsWith('.log'));
  const known = new Map(
    inside.map((path) => [path, { durableBytes: files.contents(path), durableVersion: 0 }]),
  );
  return { findDurable: (path) => known.get(path), durablePaths: () => inside };
}
