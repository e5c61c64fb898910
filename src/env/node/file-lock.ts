/**
 * A lock that dies with its process, without a native module.
 *
 * Node has neither flock nor fcntl. What the kernel does drop at a process's death, even at kill -9, is a listening
 * socket. So a claim is a Unix socket next to the lock's path, named `<path>.<pid>.<nonce>`, and:
 *
 *   claim   = bind and listen on a name of our own, then connect to every other claim in the directory.
 *   refused = its process is dead: the name is left over and is removed.
 *   accepted, or any doubt = it is alive: we withdraw our claim and report 'locked' with its pid.
 *
 * Two cannot both win: each listens before it looks, so the one that looks last sees the other. Both may lose, which is
 * safe. A stopped process (SIGSTOP) still holds, for the kernel accepts on its behalf. It holds across network and
 * process-id namespaces, where a file with a pid in it would lie; it does not hold between machines (NFS).
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as net from 'node:net';
import { basename, dirname, join } from 'node:path';
import { EnvironmentError } from '../../base/index.ts';
import type { FileLock } from '../files.ts';

/** sun_path holds 108 bytes on Linux, 104 on macOS, with the closing zero. */
const SOCKET_PATH_BYTES_MAX = 103;

export async function lockFile(path: string): Promise<FileLock> {
  const directory = await SocketDirectory.open(dirname(path));
  const claim = `${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    const server = await listen(directory.socketPath(claim));
    const holder = await findHolder(directory, basename(path), claim);
    if (holder === undefined) return new SocketLock(server, directory);
    await closeServer(server);
    throw new EnvironmentError(
      'locked',
      path,
      `${path} is locked by the running process ${holder}; stop it first, or use another directory`,
    );
  } catch (error) {
    await directory.close();
    throw error;
  }
}

class SocketLock implements FileLock {
  readonly #server: net.Server;
  readonly #directory: SocketDirectory;
  #released = false;

  constructor(server: net.Server, directory: SocketDirectory) {
    this.#server = server;
    this.#directory = directory;
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await closeServer(this.#server);
    await this.#directory.close();
  }
}

/** The pid in the name of a claim, other than `own`, whose process is alive. Removes the claims of the dead. */
async function findHolder(
  directory: SocketDirectory,
  name: string,
  own: string,
): Promise<string | undefined> {
  for (const other of await fs.readdir(directory.path)) {
    if (!other.startsWith(`${name}.`) || other === own) continue;
    const pid = /^\.(\d+)\.[0-9a-f]{8}$/.exec(other.slice(name.length))?.[1];
    if (pid === undefined) continue;
    if (await isListening(directory.socketPath(other))) return pid;
    await fs.rm(join(directory.path, other), { force: true });
  }
  return undefined;
}

function isListening(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path: socketPath });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}

function listen(socketPath: string): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen({ path: socketPath, exclusive: true }, () => {
      server.unref();
      resolve(server);
    });
  });
}

function closeServer(server: net.Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Names sockets in a directory whose path may be too long for a socket's address (Linux: through /proc). */
class SocketDirectory {
  readonly path: string;
  readonly #handle: fs.FileHandle | undefined;

  private constructor(path: string, handle: fs.FileHandle | undefined) {
    this.path = path;
    this.#handle = handle;
  }

  static async open(path: string): Promise<SocketDirectory> {
    return new SocketDirectory(path, process.platform === 'linux' ? await fs.open(path, 'r') : undefined);
  }

  socketPath(name: string): string {
    if (this.#handle !== undefined) return `/proc/self/fd/${this.#handle.fd}/${name}`;
    const path = join(this.path, name);
    if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path;
    throw new EnvironmentError(
      'other',
      path,
      `cannot lock in ${this.path}: the path has more than ${SOCKET_PATH_BYTES_MAX} bytes; use a shorter one`,
    );
  }

  async close(): Promise<void> {
    await this.#handle?.close();
  }
}
