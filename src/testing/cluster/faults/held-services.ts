/** What a listener serves, for a node that may stand still: who calls it then waits, whoever it is. */
import type { CallContext, ServedServices, Sink } from '../../../rpc/api/index.ts';
import { methodsOf, OutboundSink, SERVICES, type ServiceKey } from '../../../rpc/protobuf/index.ts';
import type { Lane } from './lane.ts';

type AnyMethod = (argument: unknown, call: CallContext) => unknown;

/** Requests that wait in one stream; with more its sender is cut off. It was told to wait at the first. */
const HELD_MAX = { streamCreditBytes: 0, streamBufferBytesMax: 100_000 };

/** `services`, reached over `lane`. */
export function holdServices(services: ServedServices, lane: Lane): ServedServices {
  const held = (Object.keys(SERVICES) as ServiceKey[]).flatMap((key) => {
    const service = services[key];
    return service === undefined ? [] : [[key, holdService(key, service, lane)]];
  });
  return Object.fromEntries(held) as ServedServices;
}

function holdService(key: ServiceKey, service: object, lane: Lane): object {
  const methods = methodsOf(key).flatMap(([property, { kind }]) => {
    const method: unknown = Reflect.get(service, property);
    if (typeof method !== 'function') return [];
    const run: AnyMethod = (argument, call) => method.call(service, argument, call);
    const held: AnyMethod =
      kind === 'unary'
        ? (request, call) => new Promise((resolve) => lane.run(() => resolve(start(run, request, call))))
        : (replies, call) => holdRequests(run(replies, call) as Sink<unknown>, lane);
    return [[property, held] as const];
  });
  return Object.fromEntries(methods);
}

/** What throws at once is a rejection, too. */
async function start(run: AnyMethod, request: unknown, call: CallContext): Promise<unknown> {
  return run(request, call);
}

function holdRequests(requests: Sink<unknown>, lane: Lane): Sink<unknown> {
  return new OutboundSink<unknown, { readonly message: unknown; readonly length: 1 }>(
    (message) => ({ message, length: 1 }),
    {
      write: ({ message }, taken) =>
        lane.run(() => {
          if (requests.send(message)) taken();
          else requests.drained().then(taken, taken);
        }),
      finish: () => lane.run(() => requests.end()),
      abort: (error) => lane.run(() => requests.end(error)),
    },
    HELD_MAX,
  );
}
