import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { BrokerStream } from '../../../src/client/cluster/broker-stream.ts';
import type { Connection, Sink } from '../../../src/rpc/api/index.ts';

interface Message {
  readonly correlationId: number;
}

function setup(options: { maxInFlight?: number; known?: boolean; room?: boolean } = {}) {
  const streams: { replies: Sink<Message>; sent: Message[]; drain: () => void; ended: boolean }[] = [];
  const events: string[] = [];
  const time = { nowMs: 0 };
  const stream = new BrokerStream<Message, Message, string>({
    nodeId: 4,
    maxInFlight: options.maxInFlight ?? 2,
    reconnectBackoff: { firstMs: 100, maxMs: 1000, factor: 2 },
    random: new SeededRandom(1),
    nowMs: () => time.nowMs,
    connect: () => (options.known === false ? undefined : ({} as Connection)),
    open: (_, replies) => {
      let drain = (): void => {};
      const drained = new Promise<void>((resolve) => {
        drain = resolve;
      });
      const opened = { replies, sent: [] as Message[], drain, ended: false };
      streams.push(opened);
      return {
        send: (message) => {
          opened.sent.push(message);
          return options.room !== false;
        },
        drained: () => drained,
        end: () => {
          opened.ended = true;
        },
      };
    },
    onReply: (item) => events.push(`reply ${item}`),
    onBroken: (items, _, sent) => events.push(`broken ${items.join(',')} ${sent ? 'sent' : 'not sent'}`),
    onRoom: () => events.push('room'),
  });
  const send = (item: string) => stream.send(item, (correlationId) => ({ correlationId }));
  return { stream, streams, events, time, send };
}

describe('broker stream', () => {
  it('matches answers by correlation id, in any order', () => {
    const { streams, events, send } = setup();
    send('a');
    send('b');
    streams[0]?.replies.send({ correlationId: 2 });
    streams[0]?.replies.send({ correlationId: 1 });
    streams[0]?.replies.send({ correlationId: 1 });
    expect(events).toEqual(['reply b', 'reply a']);
  });

  it('has no room while too many are without an answer', () => {
    const { stream, streams, send } = setup();
    send('a');
    expect(stream.readyAtMs()).toBe(0);
    send('b');
    expect(stream.readyAtMs()).toBe(Infinity);
    streams[0]?.replies.send({ correlationId: 1 });
    expect(stream.readyAtMs()).toBe(0);
  });

  it('has no room until the transport has drained', async () => {
    const { stream, streams, events, send } = setup({ room: false });
    send('a');
    expect(stream.readyAtMs()).toBe(Infinity);
    streams[0]?.drain();
    await Promise.resolve();
    await Promise.resolve();
    expect(events).toEqual(['room']);
    expect(stream.readyAtMs()).toBe(0);
  });

  it('tells of everything without an answer when it breaks, waits, and opens anew', () => {
    const { stream, streams, events, send, time } = setup();
    send('a');
    send('b');
    streams[0]?.replies.end(new Error('gone'));
    expect(events).toEqual(['broken a,b sent']);
    expect(stream.readyAtMs()).toBeGreaterThanOrEqual(80);
    time.nowMs = 200;
    send('c');
    expect(streams).toHaveLength(2);
  });

  it('drops answers of a stream that was given up', () => {
    const { stream, streams, events, send } = setup();
    send('a');
    stream.break(new Error('too slow'));
    send('b');
    streams[0]?.replies.send({ correlationId: 1 });
    streams[0]?.replies.end();
    expect(streams[0]?.ended).toBe(true);
    expect(events).toEqual(['broken a sent']);
  });

  it('says that nothing was sent when the address is not known', () => {
    const { events, send } = setup({ known: false });
    send('a');
    expect(events).toEqual(['broken a not sent']);
  });
});
