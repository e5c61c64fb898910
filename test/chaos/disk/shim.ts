/** The shim of shim.c, compiled when this machine can, and one node's disk behind it. */
import { execFile } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { constants } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Random } from '../../../src/base/index.ts';
import { Ledger } from './ledger.ts';
import { type Loss, losePower, settle } from './power-loss.ts';

const SOURCE = fileURLToPath(new URL('../shim/shim.c', import.meta.url));

/** Positions in `struct control`. */
const FIELDS = { writeErrno: 0, syncErrno: 1, syncDelayMs: 2, readErrno: 3, clockOffsetS: 4 } as const;
const REFUSED = 5;
const CONTROL_BYTES = 64;

export type DiskFaults = Partial<Record<keyof typeof FIELDS, number>>;

/** The path of the library, or why there is none. */
export async function compileShim(
  directory: string,
): Promise<{ readonly path: string } | { readonly missing: string }> {
  if (process.platform !== 'linux') return { missing: `no LD_PRELOAD on ${process.platform}` };
  const path = `${directory}/shim.so`;
  try {
    await promisify(execFile)('gcc', ['-O2', '-shared', '-fPIC', '-o', path, SOURCE, '-ldl']);
    return { path };
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { missing: isAbsent ? 'no gcc' : `gcc: ${String(error).slice(0, 300)}` };
  }
}

export class ShimmedDisk {
  readonly #library: string;
  readonly #root: string;
  readonly #place: string;
  readonly #ledger = new Ledger();
  #starts = 0;

  /** `root`: what of the file system is watched. `place`: for the shim's own files, on the same file system. */
  constructor(library: string, root: string, place: string) {
    this.#library = library;
    this.#root = root;
    this.#place = place;
    mkdirSync(place, { recursive: true });
    writeFileSync(`${this.#place}/control`, Buffer.alloc(CONTROL_BYTES));
    settle(this.#ledger, root, this.#shadows);
  }

  /** For the next process of this node. */
  environment(): Record<string, string> {
    this.#starts++;
    return {
      LD_PRELOAD: this.#library,
      // Otherwise libuv may go around libc.
      UV_USE_IO_URING: '0',
      CHAOS_DATA: this.#root,
      CHAOS_SHADOW: this.#shadows,
      CHAOS_CONTROL: `${this.#place}/control`,
      CHAOS_LEDGER: this.#events,
    };
  }

  /** Call when the process is gone and before the next one starts. */
  handleEnd(): void {
    if (!existsSync(this.#events)) return;
    this.#ledger.read(readFileSync(this.#events, 'latin1'));
    rmSync(this.#events);
  }

  /** As if the machine of the process that is gone had lost its power. */
  losePower(random: Random): Loss {
    return losePower(this.#ledger, this.#root, this.#shadows, random);
  }

  set(faults: DiskFaults): void {
    const file = openSync(`${this.#place}/control`, 'r+');
    for (const [name, value] of Object.entries(faults)) {
      const bytes = Buffer.alloc(4);
      bytes.writeInt32LE(value);
      writeSync(file, bytes, 0, 4, 4 * FIELDS[name as keyof typeof FIELDS]);
    }
    closeSync(file);
  }

  heal(): void {
    this.set({ writeErrno: 0, syncErrno: 0, syncDelayMs: 0, readErrno: 0 });
  }

  /** Calls that the shim has refused so far. */
  get refused(): number {
    return readFileSync(`${this.#place}/control`).readInt32LE(4 * REFUSED);
  }

  get #events(): string {
    return `${this.#place}/ledger-${this.#starts}`;
  }

  get #shadows(): string {
    return `${this.#place}/shadows`;
  }
}

export const ERRNO = constants.errno;
