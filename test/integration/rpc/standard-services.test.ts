import { fileURLToPath } from 'node:url';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import descriptor from 'protobufjs/ext/descriptor/index.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SILENT } from '../../../src/env/index.ts';
import { formatAddress, type Listener, type Transport } from '../../../src/rpc/api/index.ts';
import {
  createGrpcTransport,
  ERROR_NAME_TRAILER,
  ERROR_NUMBER_TRAILER,
} from '../../../src/rpc/grpc/index.ts';
import { SERVICES } from '../../../src/rpc/protobuf/index.ts';
import { produceRequest, serverSide } from '../../rpc/services.ts';

let transport: Transport;
let publicListener: Listener;
let internalListener: Listener;
let healthy: boolean;
const clients: Client[] = [];

beforeEach(async () => {
  healthy = true;
  transport = createGrpcTransport({ logger: SILENT });
  const { broker, replica, quorum } = serverSide().services;
  const address = { host: '127.0.0.1', port: 0 };
  publicListener = await transport.serve(address, { broker: broker! }, { healthy: () => healthy });
  internalListener = await transport.serve(address, { replica: replica!, quorum: quorum! });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await transport.close();
});

function clientOf(listener: Listener): Client {
  const client = new Client(formatAddress(listener.address), credentials.createInsecure());
  clients.push(client);
  return client;
}

function methodOf(file: string, service: string, method: string): MethodDefinition<object, object> {
  const loaded = loadSync(file, { keepCase: true, enums: String, defaults: true, oneofs: true });
  return (loaded[service] as Record<string, MethodDefinition<object, object>>)[method]!;
}

async function check(listener: Listener, service: string): Promise<unknown> {
  const { path, requestSerialize, responseDeserialize } = methodOf(
    protoPath,
    'grpc.health.v1.Health',
    'Check',
  );
  const reply = await new Promise<ServiceError | object | undefined>((resolve) =>
    clientOf(listener).makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { service },
      (error, value) => resolve(error ?? value),
    ),
  );
  return reply !== undefined && 'status' in reply ? reply.status : reply;
}

describe('the health service', () => {
  it('answers what the node says of itself at that moment, for all and for each service', async () => {
    const both = async () => [
      await check(publicListener, ''),
      await check(publicListener, 'quorate.v1.Broker'),
    ];
    expect(await both()).toEqual(['SERVING', 'SERVING']);
    healthy = false;
    expect(await both()).toEqual(['NOT_SERVING', 'NOT_SERVING']);
    expect(await check(publicListener, 'quorate.v1.Quorum')).toMatchObject({ code: status.NOT_FOUND });
  });

  it('is on internal listeners too', async () => {
    expect(await check(internalListener, 'quorate.v1.Quorum')).toBe('SERVING');
  });
});

describe('reflection', () => {
  const reflectionProto = fileURLToPath(
    new URL(
      '../../../node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
      import.meta.url,
    ),
  );

  interface ReflectionReply {
    readonly code?: number;
    readonly list_services_response?: { readonly service: readonly { readonly name: string }[] };
    readonly file_descriptor_response?: { readonly file_descriptor_proto: readonly Buffer[] };
  }

  function ask(listener: Listener, request: object): Promise<ReflectionReply> {
    const service = 'grpc.reflection.v1.ServerReflection';
    const method = methodOf(reflectionProto, service, 'ServerReflectionInfo');
    const { path, requestSerialize, responseDeserialize } = method;
    const stream = clientOf(listener).makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    return new Promise((resolve) => {
      stream.on('data', (reply: ReflectionReply) => {
        stream.end();
        resolve(reply);
      });
      stream.on('error', resolve);
      stream.write(request);
    });
  }

  it('lists the public services of a public listener', async () => {
    const reply = await ask(publicListener, { list_services: '' });
    const names = reply.list_services_response?.service.map(({ name }) => name);
    expect(names?.sort()).toEqual(['grpc.health.v1.Health', 'quorate.v1.Broker']);
  });

  it('names fields as the .proto files do, and entries of maps as the format wants them', async () => {
    const reply = await ask(publicListener, { file_containing_symbol: 'quorate.v1.CreatableTopic' });
    const [file] = reply.file_descriptor_response?.file_descriptor_proto ?? [];
    const decoded = descriptor.FileDescriptorProto.decode(file!) as descriptor.IFileDescriptorProto;
    const topic = decoded.messageType?.find(({ name }) => name === 'CreatableTopic');
    expect(topic?.field?.map(({ name }) => name)).toContain('replication_factor');
    expect(topic?.nestedType?.map(({ name }) => name)).toEqual(['ConfigsEntry']);
  });

  it('is not offered on internal listeners', async () => {
    expect(await ask(internalListener, { list_services: '' })).toMatchObject({ code: status.UNIMPLEMENTED });
  });
});

describe('a generic client', () => {
  it('finds the name and number of a refusal in the trailers, and no stack', async () => {
    const client = clientOf(publicListener);
    const { path, request } = SERVICES.broker.methods.produce;
    const bytes = request.encode({ ...produceRequest(1), clientId: 'refuse' });
    const same = (b: Buffer): Buffer => b;
    const error = await new Promise<ServiceError | null>((resolve) =>
      client.makeUnaryRequest(path, same, same, bytes, resolve),
    );
    expect(error?.code).toBe(status.UNAVAILABLE);
    expect(error?.metadata.get(ERROR_NAME_TRAILER)).toEqual(['NOT_LEADER_OR_FOLLOWER']);
    expect(error?.metadata.get(ERROR_NUMBER_TRAILER)).toEqual(['6']);
    expect(error?.details).toBe('broker 7 leads t-3 ☃');
  });

  it('meets no internal service on a public listener', async () => {
    const { quorum, replica } = transport.connect(publicListener.address);
    await expect(quorum.describeQuorum({}, {})).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' });
    await expect(replica.imageDigest({}, {})).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' });
  });
});
