/**
 * The file `quorum-state`: what this node promised. Two slots, written in turn, each holding two equal copies:
 *
 *   byte 0     slot 0, first copy       byte 4096   slot 0, second copy
 *   byte 8192  slot 1, first copy       byte 12288  slot 1, second copy
 *
 * Generation g goes to slot g mod 2, both copies in one write, then one sync; only then has it happened. A write that a
 * crash tore leaves the other slot with g - 1 and at most one copy of its own slot unreadable. So the newest readable
 * copy is the state, and a slot with no readable copy is no crash but damage: it may have held a vote. One damaged
 * sector anywhere never takes the node back in time.
 * Source: Raft §5.2 (vote and term are durable before an answer), Alagappan et al., "Protocol-Aware Recovery" (FAST 2018).
 */
import { assert } from '../../base/index.ts';
import type { FileHandle, Files } from '../../env/index.ts';
import { COPY_BYTES, decodeHardState, encodeHardState, type HardStateCopy } from './hard-state-codec.ts';
import type { HardState, QuorumIdentity } from './quorum-store.ts';

const BLOCK_BYTES = 4096;
const SLOT_BYTES = 2 * BLOCK_BYTES;
const FILE_BYTES = 2 * SLOT_BYTES;

export type HardStateOpening =
  | { readonly kind: 'open'; readonly file: HardStateFile }
  | { readonly kind: 'damaged'; readonly reason: string };

export class HardStateFile {
  readonly identity: QuorumIdentity;
  readonly #handle: FileHandle;
  #state: HardState;
  #generation: number;
  #wanted: HardState | undefined;
  /** The last write that began, and the one that will follow it; a request joins the latter. */
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #writing = false;
  /** One write at a time uses it. */
  readonly #slot = Buffer.alloc(SLOT_BYTES);

  private constructor(handle: FileHandle, newest: HardStateCopy) {
    this.#handle = handle;
    this.identity = newest.identity;
    this.#state = newest.state;
    this.#generation = newest.generation;
  }

  /** Writes a new file, whole and durable but for its name in the directory. */
  static async create(files: Files, path: string, identity: QuorumIdentity, state: HardState): Promise<void> {
    const handle = await files.open(path, 'create');
    try {
      const slots = [0, 1].map((generation) =>
        fillSlot(Buffer.alloc(SLOT_BYTES), { generation, identity, state }),
      );
      await handle.truncate(0);
      await handle.write(slots, 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /**
   * What it gives is durable: a killed process may have left more in the page cache than it had synced. A sync alone would
   * not do, for after one that failed the system may take what is in its cache for written ("PostgreSQL's fsync()
   * surprise", 2018). So the same bytes are written once more, each where it is: torn anywhere, they are what they were.
   */
  static async open(files: Files, path: string): Promise<HardStateOpening> {
    const handle = await files.open(path, 'write');
    const found = await settle(handle).catch(async (error: unknown) => {
      await handle.close();
      throw error;
    });
    if (typeof found !== 'string') return { kind: 'open', file: new HardStateFile(handle, found) };
    await handle.close();
    return { kind: 'damaged', reason: found };
  }

  /** The last durable state. */
  get state(): HardState {
    return this.#state;
  }

  /** Of the last durable state; rises by one with each write. */
  get generation(): number {
    return this.#generation;
  }

  /** What the writes asked for so far lead to. */
  get wanted(): HardState {
    return this.#wanted ?? this.#state;
  }

  /** Resolves when all that was asked for so far is durable. */
  settled(): Promise<void> {
    return this.#next ?? this.#last;
  }

  get isBusy(): boolean {
    return this.#writing || this.#next !== undefined;
  }

  /** Durable when it resolves. Calls made while one is being written share the next write. */
  save(change: Partial<HardState>): Promise<void> {
    return this.replace({ ...this.wanted, ...change });
  }

  /** As {@link save}, for the whole state. */
  replace(state: HardState): Promise<void> {
    this.#wanted = state;
    this.#next ??= this.#last.then(() => {
      this.#next = undefined;
      this.#last = this.#write();
      return this.#last;
    });
    return this.#next;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #write(): Promise<void> {
    const state = this.wanted;
    const generation = this.#generation + 1;
    assert(!this.#writing, 'one write at a time', { generation });
    this.#writing = true;
    fillSlot(this.#slot, { generation, identity: this.identity, state });
    await this.#handle.write([this.#slot], (generation % 2) * SLOT_BYTES);
    await this.#handle.sync();
    this.#state = state;
    this.#generation = generation;
    this.#writing = false;
  }
}

/** The newest copy, durable from now on; or what is wrong. Throws EnvironmentError. */
async function settle(handle: FileHandle): Promise<HardStateCopy | string> {
  const bytes = Buffer.alloc(FILE_BYTES);
  const read = await handle.read(bytes, 0);
  if (read < FILE_BYTES) return `${handle.path} has ${read} bytes of ${FILE_BYTES}: it was cut`;
  await handle.write([bytes], 0);
  await handle.sync();
  return newestCopy(bytes) ?? `${handle.path} fails its checksums: what this node voted for may be lost`;
}

/** The rest of each block is and stays zero: a copy has always the same length. */
function fillSlot(slot: Buffer, copy: HardStateCopy): Buffer {
  const encoded = encodeHardState(copy);
  encoded.copy(slot, 0);
  encoded.copy(slot, BLOCK_BYTES);
  return slot;
}

/** What the bytes of a state file say; undefined when a slot has no readable copy, which no crash does. */
export function decodeNewestHardState(bytes: Buffer): HardStateCopy | undefined {
  return bytes.byteLength < FILE_BYTES ? undefined : newestCopy(bytes);
}

/** Undefined when one slot has no readable copy. */
function newestCopy(bytes: Buffer): HardStateCopy | undefined {
  let newest: HardStateCopy | undefined;
  for (const slot of [0, 1]) {
    const copies = [0, BLOCK_BYTES]
      .map((at) => slot * SLOT_BYTES + at)
      .map((at) => decodeHardState(bytes.subarray(at, at + COPY_BYTES)))
      .filter((copy) => copy !== undefined && copy.generation % 2 === slot);
    if (copies.length === 0) return undefined;
    for (const copy of copies)
      if (newest === undefined || (copy !== undefined && copy.generation > newest.generation)) newest = copy;
  }
  return newest;
}
