import { describe, expect, it } from 'vitest';
import { serveRequestStream } from '../../../src/broker/flow/request-stream.ts';
import { Window } from '../../../src/broker/flow/window.ts';
import { settle } from '../../../src/testing/twins/scheduler.ts';

/** A stream of numbers, each answered by itself; the test plays the transport. */
function serve(handle: (request: number, signal: AbortSignal) => Promise<number | undefined>) {
  const got: number[] = [];
  const ends: (Error | undefined)[] = [];
  const left = new AbortController();
  const wire = { room: true, drain: Promise.withResolvers<void>() };
  const window = new Window({ countMax: 4, bytesMax: 100 });
  const requests = serveRequestStream<number, number>({
    replies: {
      send(reply) {
        got.push(reply);
        return wire.room;
      },
      drained: () => wire.drain.promise,
      end: (error) => {
        ends.push(error);
      },
    },
    call: { peer: 'test:1', signal: left.signal },
    windowOf: () => window,
    sizeOf: () => 1,
    handle,
  });
  return { requests, got, ends, left, wire };
}

describe('request stream', () => {
  it('hands requests over in order and ends after the last reply', async () => {
    const { requests, got, ends } = serve(async (request) => request);
    for (const request of [1, 2, 3]) requests.send(request);
    requests.end();
    expect(ends).toEqual([]);
    await settle();
    expect([got, ends]).toEqual([[1, 2, 3], [undefined]]);
  });

  it('ends at once when nothing is in flight', () => {
    const { requests, ends } = serve(async (request) => request);
    requests.end();
    expect(ends).toEqual([undefined]);
  });

  it('sends no further reply while the last one has not left', async () => {
    const { requests, got, wire } = serve(async (request) => request);
    wire.room = false;
    for (const request of [1, 2, 3]) requests.send(request);
    await settle();
    expect(got).toEqual([1]);
    wire.room = true;
    wire.drain.resolve();
    await settle();
    expect(got).toEqual([1, 2, 3]);
  });

  it('ends with the error of a request that failed, once', async () => {
    const { requests, ends } = serve(async () => {
      throw new Error('broken');
    });
    requests.send(1);
    requests.send(2);
    await settle();
    expect(ends).toEqual([new Error('broken')]);
  });

  it.each(['caller', 'request side'] as const)(
    'cancels what is in flight when the %s breaks off',
    async (who) => {
      const signals: AbortSignal[] = [];
      const { requests, left } = serve((_request, signal) => {
        signals.push(signal);
        return new Promise(() => {});
      });
      requests.send(1);
      if (who === 'caller') left.abort();
      else requests.end(new Error('reset'));
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    },
  );
});
