/** One listening server: registers the given services, binds, closes with grace. */
import type { Http2Server, ServerHttp2Session } from 'node:http2';
import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { assert, EnvironmentError } from '../../base/index.ts';
import type { Logger } from '../../env/index.ts';
import {
  type Address,
  formatAddress,
  type Listener,
  type ServedServices,
  type ServeOptions,
} from '../api/index.ts';
import { methodsOf, SERVICES, type ServiceKey } from '../protobuf/index.ts';
import { identity } from './client-unary.ts';
import {
  type DuplexImplementation,
  duplexHandler,
  type UnaryImplementation,
  unaryHandler,
} from './handlers.ts';
import { HealthService } from './health.ts';
import {
  CONNECTION_IDLE_MS_MAX,
  FLOW_CONTROL_WINDOW_BYTES,
  type GrpcLimits,
  KEEPALIVE_TIME_MS,
  KEEPALIVE_TIMEOUT_MS,
} from './limits.ts';
import { addReflection } from './reflection.ts';

const PUBLIC: readonly ServiceKey[] = ['broker', 'admin'];

export interface ListenerOptions extends ServeOptions {
  readonly limits: GrpcLimits;
  readonly logger: Logger;
  readonly onClose: (listener: Listener) => void;
}

export async function openListener(
  address: Address,
  services: ServedServices,
  options: ListenerOptions,
): Promise<Listener> {
  const { limits } = options;
  // What it would print on stderr, we throw or log.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    'grpc.max_receive_message_length': limits.requestBytesMax,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': limits.streamsPerConnectionMax,
    'grpc-node.max_session_memory': limits.sessionMemoryMax,
    'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.max_connection_idle_ms': CONNECTION_IDLE_MS_MAX,
    'grpc.enable_channelz': 0,
  });
  const keys = (Object.keys(SERVICES) as ServiceKey[]).filter((key) => services[key] !== undefined);
  for (const key of keys) addService(server, key, services[key], options);
  const health = new HealthService(
    keys.map((key) => SERVICES[key].name),
    options.healthy,
  );
  health.addTo(server);
  const publicNames = keys.filter((key) => PUBLIC.includes(key)).map((key) => SERVICES[key].name);
  if (publicNames.length > 0) addReflection(server, publicNames);
  try {
    const port = await bind(server, address);
    setUpConnections(server, limits);
    return new GrpcListener({ host: address.host, port }, server, health, options.onClose);
  } catch (error) {
    health.close();
    server.forceShutdown();
    throw error;
  }
}

function addService(
  server: Server,
  key: ServiceKey,
  implementation: ServedServices[ServiceKey],
  options: ListenerOptions,
): void {
  const functions = implementation as unknown as Record<string, UnaryImplementation & DuplexImplementation>;
  const definition: Record<string, ServiceDefinition[string]> = {};
  const handlers: UntypedServiceImplementation = {};
  for (const [property, method] of methodsOf(key)) {
    const run = functions[property]?.bind(implementation) as UnaryImplementation & DuplexImplementation;
    const context = { method, limits: options.limits, logger: options.logger };
    const streams = method.kind === 'duplex';
    definition[method.name] = {
      path: method.path,
      requestStream: streams,
      responseStream: streams,
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    };
    handlers[method.name] = streams ? duplexHandler(context, run) : unaryHandler(context, run);
  }
  server.addService(definition, handlers);
}

function bind(server: Server, address: Address): Promise<number> {
  const name = formatAddress(address);
  return new Promise((resolve, reject) => {
    server.bindAsync(name, ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else if (/EADDRINUSE/.test(error.message))
        reject(new EnvironmentError('address-in-use', name, `${name} is in use by another program`, error));
      else reject(new EnvironmentError('address-not-available', name, `cannot listen on ${name}`, error));
    });
  });
}

/**
 * grpc-js has no option for the number of connections, and its `forceShutdown` misses the sessions of a
 * server without channelz (1.14). Node's own servers and sessions, which it keeps in this map, know both. A
 * test over real sockets fails should the map ever be renamed.
 */
function http2Servers(
  server: Server,
): ReadonlyMap<Http2Server, { readonly sessions: Set<ServerHttp2Session> }> {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  assert(servers instanceof Map, 'grpc-js keeps its HTTP/2 servers in a map');
  return servers;
}

/**
 * Also the windows: grpc-js widens those of clients only, and 64 KiB per round trip would throttle
 * producers.
 */
function setUpConnections(server: Server, limits: GrpcLimits): void {
  for (const http2Server of http2Servers(server).keys()) {
    http2Server.maxConnections = limits.connectionsMax;
    http2Server.on('session', (session) => {
      session.settings({
        initialWindowSize: FLOW_CONTROL_WINDOW_BYTES,
        maxConcurrentStreams: limits.streamsPerConnectionMax,
      });
      session.setLocalWindowSize(FLOW_CONTROL_WINDOW_BYTES);
    });
  }
}

class GrpcListener implements Listener {
  readonly address: Address;
  readonly #server: Server;
  readonly #health: HealthService;
  readonly #onClose: (listener: Listener) => void;
  #closed: Promise<void> | undefined;

  constructor(
    address: Address,
    server: Server,
    health: HealthService,
    onClose: (listener: Listener) => void,
  ) {
    this.address = address;
    this.#server = server;
    this.#health = health;
    this.#onClose = onClose;
  }

  close(graceMs: number): Promise<void> {
    if (this.#closed === undefined) this.#closed = this.#shutdown(graceMs).finally(() => this.#onClose(this));
    else if (graceMs === 0) this.#cut();
    return this.#closed;
  }

  #shutdown(graceMs: number): Promise<void> {
    this.#health.close();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#cut(), graceMs);
      this.#server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
      if (graceMs === 0) this.#cut();
    });
  }

  #cut(): void {
    for (const { sessions } of http2Servers(this.#server).values())
      for (const session of sessions) session.destroy();
  }
}
