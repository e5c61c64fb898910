/**
 * A client in its own process: makes a call, then a stream if told to, and lets the process end by itself.
 */
import { SILENT } from '../../../src/env/index.ts';
import { createGrpcTransport } from '../../../src/rpc/grpc/index.ts';
import { Collector, produceRequest } from '../../rpc/services.ts';

const [port, mode] = process.argv.slice(2);
const connection = createGrpcTransport({ logger: SILENT }).connect({ host: '127.0.0.1', port: Number(port) });
await connection.broker.metadata({}, {});
if (mode === 'stream') connection.broker.produceStream(new Collector(), {}).send(produceRequest(1));
console.log('called');
