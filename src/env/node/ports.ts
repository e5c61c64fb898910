import { createServer } from 'node:net';
import { EnvironmentError } from '../../base/index.ts';

/** Below the range the system gives to outgoing connections, so that none of these takes a port meanwhile. */
const FIRST_PORT = 10_240;
const LAST_PORT = 32_000;
const TRIES_MAX = 500;

/** `count` different ports of 127.0.0.1 that nobody listened on a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries++) {
    if (tries > TRIES_MAX + count)
      throw new EnvironmentError('address-not-available', '127.0.0.1', 'found no free ports');
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port }, () => server.close(() => resolve(true)));
  });
}
