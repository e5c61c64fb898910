/**
 * Bits that have turned on the disks of brokers, and are not mended yet.
 *
 * Nothing may be lost for good by them: one replica of a partition at a time, and not where no other one is in sync. Should
 * it become the last one, somebody turns the bit back, as a person brings back what a broken disk held. Likewise before a
 * start of a replica that counts as in sync: above the recovery point rot looks like a torn tail, and is cut.
 */
import { type NodeId, type TopicPartition, topicPartitionKey } from '../../../base/index.ts';
import type { MetadataImage } from '../../../metadata/index.ts';
import type { DurableFile } from '../../twins/index.ts';
import type { Machine } from './machine.ts';
import type { DurableFiles } from './watch/durable-log.ts';

export interface TurnedBit {
  readonly machine: Machine;
  /** Undefined: of the whole directory. */
  readonly partition: TopicPartition | undefined;
  readonly path: string;
  readonly file: DurableFile;
  readonly index: number;
  readonly sound: number;
  readonly turned: number;
}

export interface RotOptions {
  /** Of the controller that acts; undefined: none does. */
  readonly image: () => MetadataImage | undefined;
  readonly count: (what: string) => void;
}

export class Rot {
  readonly #options: RotOptions;
  readonly #bits = new Set<TurnedBit>();
  /** Replicas in which a bit ever turned. */
  readonly #rotted = new Set<string>();
  /** What a file would be without them. */
  readonly #soundFiles = new WeakMap<DurableFile, DurableFile>();

  constructor(options: RotOptions) {
    this.#options = options;
  }

  /** Of what is still there. */
  get open(): readonly TurnedBit[] {
    for (const bit of this.#bits) if (!isThere(bit)) this.#bits.delete(bit);
    return [...this.#bits];
  }

  turn(bit: TurnedBit): void {
    this.#bits.add(bit);
    if (bit.partition !== undefined) this.#rotted.add(replicaOf(bit.machine.plan.id, nameOf(bit.partition)));
    bit.machine.files.changeByte(bit.path, bit.index, bit.sound, bit.turned);
  }

  /** Makes it what it was. */
  turnBack(bit: TurnedBit): void {
    this.#bits.delete(bit);
    if (!isThere(bit)) return;
    bit.machine.files.changeByte(bit.path, bit.index, bit.turned, bit.sound);
    this.#options.count('turned bits turned back');
  }

  /** True when the replica of `partition` on this broker may have been fetched anew for it, at any time since. */
  hasRotted(broker: NodeId, partition: string): boolean {
    return this.#rotted.size > 0 && this.#rotted.has(replicaOf(broker, partition));
  }

  /** True when the replica on the machine may be damaged: another one is in sync, and sound. */
  isSafe(machine: Machine, topic: string, partition: number): boolean {
    const isOpen = this.open.some(
      ({ partition: one }) => one?.topic === topic && one.partition === partition,
    );
    return !isOpen && this.inSync(topic, partition).some((id) => id !== machine.plan.id);
  }

  /** Before a node starts. */
  beginLife(machine: Machine): void {
    if (this.#bits.size === 0) return;
    for (const bit of this.open)
      if (bit.machine === machine && bit.partition !== undefined && this.#counts(bit, bit.partition))
        this.turnBack(bit);
  }

  /** True when no other replica in sync could mend it. */
  isForPerson({ machine, partition: one }: TurnedBit): boolean {
    if (one === undefined) return false;
    const isr = this.inSync(one.topic, one.partition);
    return isr.length === 1 && isr[0] === machine.plan.id;
  }

  inSync(topic: string, partition: number): readonly number[] {
    return this.#options.image()?.topics.find(topic)?.partitions[partition]?.isr ?? [];
  }

  /** The disk of a machine as it would be if no bit had turned, and all logs were in the directory that is asked for. */
  soundFiles(machine: Machine): DurableFiles {
    return {
      findDurable: (path) => {
        const file = machine.files.findDurable(placed(machine, path));
        return file === undefined || this.#bits.size === 0 ? file : this.#sound(file);
      },
      durablePaths: (directory) => machine.files.durablePaths(placed(machine, directory)),
    };
  }

  /** Nobody can tell: then it does. */
  #counts(bit: TurnedBit, { topic, partition }: TopicPartition): boolean {
    const isr = this.inSync(topic, partition);
    return isr.length === 0 || isr.includes(bit.machine.plan.id);
  }

  #sound(file: DurableFile): DurableFile {
    const known = this.#soundFiles.get(file);
    if (known !== undefined) return known;
    const bits = this.#bits;
    if (![...bits].some((bit) => bit.file === file)) return file;
    const sound: DurableFile = {
      get durableBytes() {
        const bytes = Uint8Array.from(file.durableBytes);
        for (const { file: one, index, turned, sound: was } of bits)
          if (one === file && bytes[index] === turned) bytes[index] = was;
        return bytes;
      },
      get durableVersion() {
        return file.durableVersion;
      },
    };
    this.#soundFiles.set(file, sound);
    return sound;
  }
}

function isThere({ machine, path, file, index, turned }: TurnedBit): boolean {
  return machine.files.findDurable(path) === file && file.durableBytes[index] === turned;
}

const nameOf = ({ topic, partition }: TopicPartition): string => topicPartitionKey(topic, partition);

const replicaOf = (broker: NodeId, partition: string): string => `${broker} ${partition}`;

/** Of `/<data directory>/<topic>-<partition>/…`. */
function placed({ directories, places }: Machine, path: string): string {
  if (directories.length === 1 && path.startsWith(`${directories[0]}/`)) return path;
  const from = path.indexOf('/', 1);
  const to = path.indexOf('/', from + 1);
  const place = places.get(path.slice(from + 1, to < 0 ? undefined : to)) ?? directories[0];
  return `${place}${path.slice(from)}`;
}
