/**
 * A network namespace for each node, joined by a bridge. Real packets, hence real cuts: who is to be cut off from an address
 * gets a neighbour entry for it that leads to nobody, and what it sends is lost in silence, in this direction alone. Needs
 * neither a packet filter nor kernel modules, only root and `ip`.
 */
import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Locally administered, and nobody's. */
const NOBODY = '02:00:de:ad:00:00';
const BRIDGE_HOST = 254;

export class Namespaces {
  readonly #tag: string;
  readonly #subnet: string;
  readonly #ids: readonly number[];
  readonly #macs = new Map<number | 'client', string>();

  private constructor(tag: string, subnet: string, ids: readonly number[]) {
    this.#tag = tag;
    this.#subnet = subnet;
    this.#ids = ids;
  }

  /** Why this machine cannot have any; undefined: it can. */
  static async missing(): Promise<string | undefined> {
    if (process.platform !== 'linux') return `no network namespaces on ${process.platform}`;
    if (process.getuid?.() !== 0) return 'not root';
    const name = `qc${process.pid}t`;
    try {
      await run('ip', ['netns', 'add', name]);
      await run('ip', ['link', 'add', `${name}v`, 'type', 'veth', 'peer', 'name', 'e0', 'netns', name]);
      await run('ip', ['netns', 'exec', name, 'ip', 'link', 'set', 'e0', 'up']);
      return undefined;
    } catch (error) {
      return `ip: ${String(error).slice(0, 200)}`;
    } finally {
      await run('ip', ['netns', 'del', name]).catch(() => {});
    }
  }

  static async create(ids: readonly number[]): Promise<Namespaces> {
    await removeStale();
    const tag = `qc${process.pid}`;
    const made = new Namespaces(tag, await freeSubnet(), ids);
    try {
      await made.#create();
    } catch (error) {
      await made.remove();
      throw error;
    }
    return made;
  }

  /** `client`: everything outside of the namespaces. */
  addressOf(id: number | 'client'): string {
    return `${this.#subnet}.${id === 'client' ? BRIDGE_HOST : this.#hostOf(id)}`;
  }

  /** Enters the namespace of `id`. */
  prefixOf(id: number): string[] {
    return ['ip', 'netns', 'exec', this.#nameOf(id)];
  }

  /** What `from` sends to `to` is lost, or arrives again. */
  async setLink(from: number | 'client', to: number | 'client', isCut: boolean): Promise<void> {
    const mac = isCut ? NOBODY : (this.#macs.get(to) ?? NOBODY);
    const inside = from === 'client' ? [] : ['-n', this.#nameOf(from)];
    const device = from === 'client' ? this.#bridge : 'e0';
    const words = ['neigh', 'replace', this.addressOf(to), 'lladdr', mac, 'nud', 'permanent', 'dev', device];
    await run('ip', [...inside, ...words]);
  }

  async remove(): Promise<void> {
    for (const id of this.#ids) await run('ip', ['netns', 'del', this.#nameOf(id)]).catch(() => {});
    await run('ip', ['link', 'del', this.#bridge]).catch(() => {});
  }

  async #create(): Promise<void> {
    const bridge = this.#bridge;
    await run('ip', ['link', 'add', bridge, 'type', 'bridge']);
    await run('ip', ['addr', 'add', `${this.addressOf('client')}/24`, 'dev', bridge]);
    await run('ip', ['link', 'set', bridge, 'up']);
    for (const id of this.#ids) {
      const name = this.#nameOf(id);
      await run('ip', ['netns', 'add', name]);
      await run('ip', ['link', 'add', `${name}v`, 'type', 'veth', 'peer', 'name', 'e0', 'netns', name]);
      await run('ip', ['link', 'set', `${name}v`, 'master', bridge, 'up']);
      await run('ip', ['-n', name, 'addr', 'add', `${this.addressOf(id)}/24`, 'dev', 'e0']);
      await run('ip', ['-n', name, 'link', 'set', 'e0', 'up']);
      await run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
      const { stdout } = await run('ip', ['-n', name, '-o', 'link', 'show', 'e0']);
      this.#macs.set(id, macIn(stdout));
    }
    const { stdout } = await run('ip', ['-o', 'link', 'show', bridge]);
    this.#macs.set('client', macIn(stdout));
  }

  #hostOf(id: number): number {
    return 1 + this.#ids.indexOf(id);
  }

  #nameOf(id: number): string {
    return `${this.#tag}-${id}`;
  }

  get #bridge(): string {
    return `${this.#tag}b`;
  }
}

/**
 * The first three numbers of its addresses. 198.18.0.0/15 is for measurements between networks: only other runs have any of
 * it. Source: RFC 2544.
 */
async function freeSubnet(): Promise<string> {
  const { stdout } = await run('ip', ['-o', 'addr', 'show']);
  for (let tries = 0; tries < 256; tries++) {
    const subnet = `198.18.${(process.pid + tries) % 256}`;
    if (!stdout.includes(`${subnet}.`)) return subnet;
  }
  throw new Error('all of 198.18.0.0/16 is taken');
}

/** Of runs that were killed. */
async function removeStale(): Promise<void> {
  const { stdout } = await run('ip', ['netns', 'list']);
  const names = stdout.match(/^qc\d+-\d+/gm) ?? [];
  const pids = new Set(names.map((name) => Number(/\d+/.exec(name)?.[0])));
  for (const pid of pids) {
    if (isAlive(pid)) continue;
    for (const name of names.filter((one) => one.startsWith(`qc${pid}-`)))
      await run('ip', ['netns', 'del', name]).catch(() => {});
    await run('ip', ['link', 'del', `qc${pid}b`]).catch(() => {});
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function macIn(text: string): string {
  return /link\/ether ([0-9a-f:]+)/.exec(text)?.[1] ?? NOBODY;
}
