/** Figures of this process over HTTP, in the format of Prometheus: `GET /metrics`. */
import { createServer } from 'node:http';
import { EnvironmentError } from '../../base/index.ts';
import type { Metrics } from '../metrics.ts';

export interface MetricsEndpoint {
  readonly metrics: Metrics;
  /** Where it listens, also when port 0 was asked for. */
  readonly port: number;
  close(): Promise<void>;
}

const PATH = '/metrics';

/** The library behind it is loaded only here: a node without an endpoint does without. */
export async function openMetricsEndpoint(
  { host, port }: { readonly host: string; readonly port: number },
  labels: Readonly<Record<string, string>>,
): Promise<MetricsEndpoint> {
  const { createPromMetrics } = await import('./prom-metrics.ts');
  const metrics = createPromMetrics({ labels, process: true });
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== PATH) {
      response.writeHead(404).end(`there is only ${PATH}\n`);
      return;
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(toListenError(error, `${host}:${port}`)));
    server.listen(port, host, resolve);
  });
  server.unref();
  const bound = server.address();
  return {
    metrics,
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function toListenError(error: NodeJS.ErrnoException, address: string): EnvironmentError {
  if (error.code === 'EADDRINUSE')
    return new EnvironmentError(
      'address-in-use',
      address,
      `${address} is in use: choose another metrics.listener`,
      error,
    );
  return new EnvironmentError(
    'address-not-available',
    address,
    `cannot listen on ${address}: ${error.message}`,
    error,
  );
}
