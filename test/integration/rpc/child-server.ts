/** A server in its own process, for tests that kill it. Prints its port. */
import { SILENT } from '../../../src/env/index.ts';
import { createGrpcTransport } from '../../../src/rpc/grpc/index.ts';
import { serverSide } from '../../rpc/services.ts';

const port = Number(process.argv[2] ?? 0);
const listener = await createGrpcTransport({ logger: SILENT }).serve(
  { host: '127.0.0.1', port },
  serverSide().services,
);
console.log(listener.address.port);
