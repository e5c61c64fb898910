/** The gates that a chaos run puts in front of each listener. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/index.ts';
import { Gate } from '../chaos/net/gate.ts';
import { HOLD, PASS } from '../chaos/net/shape.ts';

const LOOPBACK = '127.0.0.1';
let server: Server;
let gate: Gate;
let port: number;
let accepted: Socket[];
let sockets: Socket[];

beforeEach(async () => {
  accepted = [];
  sockets = [];
  server = createServer((socket) => {
    accepted.push(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => socket.write(`you said ${bytes}`));
  });
  const upstream = await new Promise<number>((resolve) => {
    server.listen({ host: LOOPBACK, port: 0 }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  const sourceOf = (address: string): number | 'client' => (address === '127.0.1.9' ? 9 : 'client');
  gate = new Gate({ host: LOOPBACK, port: upstream }, sourceOf, new SeededRandom(1));
  port = await gate.listen({ host: LOOPBACK, port: 0 });
});

afterEach(() => {
  for (const socket of [...sockets, ...accepted]) socket.destroy();
  gate.close();
  server.close();
});

class Caller {
  readonly socket: Socket;
  heard = '';
  fate: 'open' | 'finished' | 'reset' = 'open';

  constructor(localAddress = LOOPBACK) {
    this.socket = connect({ host: LOOPBACK, port, localAddress });
    sockets.push(this.socket);
    this.socket.on('data', (bytes) => {
      this.heard += bytes;
    });
    this.socket.on('end', () => {
      this.fate = 'finished';
    });
    this.socket.on('error', () => {
      this.fate = 'reset';
    });
  }

  say(text: string): void {
    this.socket.write(text);
  }

  async ask(text: string): Promise<void> {
    this.heard = '';
    this.say(text);
    await expect.poll(() => this.heard).toBe(`you said ${text}`);
  }
}

it('what is said goes through both ways, and so does the end', async () => {
  const caller = new Caller();
  await caller.ask('hello');
  accepted[0]?.end();
  await expect.poll(() => caller.fate).toBe('finished');
});

it('a held direction keeps what was said until it is let go, the other goes on', async () => {
  const caller = new Caller();
  await caller.ask('one');
  gate.set({ there: PASS, back: HOLD });
  caller.heard = '';
  caller.say('two');
  await expect.poll(() => accepted[0]?.bytesRead).toBe(6);
  expect(caller.heard).toBe('');
  gate.set({ there: PASS, back: PASS });
  await expect.poll(() => caller.heard).toBe('you said two');
});

it('a cut concerns its source alone, told by the address it comes from', async () => {
  const [cut, free] = [new Caller('127.0.1.9'), new Caller()];
  await cut.ask('one');
  gate.set({ there: HOLD, back: PASS }, 9);
  cut.heard = '';
  cut.say('two');
  await free.ask('three');
  expect(cut.heard).toBe('');
});

it('whoever comes during a cut is connected on when it is over', async () => {
  gate.set({ there: HOLD, back: HOLD });
  const caller = new Caller();
  caller.say('hello');
  await expect.poll(() => caller.socket.bytesWritten).toBe(5);
  expect(accepted).toEqual([]);
  gate.set({ there: PASS, back: PASS });
  await expect.poll(() => caller.heard).toBe('you said hello');
});

it('an end during a cut is not heard before the cut is over', async () => {
  const caller = new Caller();
  await caller.ask('one');
  gate.set({ there: HOLD, back: HOLD });
  accepted[0]?.destroy();
  await new Promise((resolve) => new Caller().socket.once('connect', resolve));
  expect(caller.fate).toBe('open');
  gate.set({ there: PASS, back: PASS });
  await expect.poll(() => caller.fate).not.toBe('open');
});

it('a reset comes after some bytes, in the middle of a word, to both ends', async () => {
  const caller = new Caller();
  await caller.ask('one');
  const closed = new Promise((resolve) => accepted[0]?.once('close', resolve));
  expect(gate.strike({ kind: 'reset', afterBytes: 3, direction: 'there' }, 'client')).toBe(1);
  caller.say('something long');
  await expect.poll(() => caller.fate).toBe('reset');
  await closed;
  expect(accepted[0]?.bytesRead).toBeLessThanOrEqual(6);
});

it('of a half-open connection the far side is gone and the near one hears nothing until the sweep', async () => {
  const caller = new Caller();
  await caller.ask('one');
  const closed = new Promise((resolve) => accepted[0]?.once('close', resolve));
  gate.strike({ kind: 'half-open' });
  await closed;
  caller.say('two');
  const other = new Caller();
  await other.ask('three');
  expect(caller.fate).toBe('open');
  gate.sweep();
  await expect.poll(() => caller.fate).toBe('reset');
  expect(other.fate).toBe('open');
});

it('a flipped bit is counted, once', async () => {
  const caller = new Caller();
  await caller.ask('one');
  gate.strike({ kind: 'flip', where: 'anywhere', direction: 'there' });
  caller.heard = '';
  caller.say('two');
  await expect.poll(() => caller.heard.length).toBe('you said two'.length);
  expect(caller.heard).not.toBe('you said two');
  expect(gate.flips).toBe(1);
  await caller.ask('three');
});

it('a listener that is not there resets who asks for it', async () => {
  const closed = new Promise((resolve) => server.close(resolve));
  await closed;
  const caller = new Caller();
  caller.say('hello');
  await expect.poll(() => caller.fate).toBe('reset');
});
