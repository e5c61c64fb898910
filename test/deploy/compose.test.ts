import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { mergeValues, nodeConfigFrom, valuesFromEnvironment } from '../../src/server/index.ts';
import { dockerfile } from './dockerfile.ts';

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly restart: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
}

const text = readFileSync(fileURLToPath(new URL('../../deploy/compose.yaml', import.meta.url)), 'utf8');
const compose = parse(text, { merge: true }) as Compose;
const services = Object.entries(compose.services);
const { stages } = dockerfile();
const image = stages.at(-1);
const imageEnvironment = Object.fromEntries(
  (image?.all('ENV') ?? [])
    .flatMap((words) => words.split(/\s+/))
    .map((pair) => pair.split('=') as [string, string]),
);

/** The configuration that a node of the service starts with. */
const configOf = ({ environment }: Service) =>
  nodeConfigFrom(mergeValues(valuesFromEnvironment({ ...imageEnvironment, ...environment })));

const configs = services.map(([name, service]) => ({ name, service, config: configOf(service) }));

describe('the compose file', () => {
  it('has three controllers and three brokers, of one image that one service builds', () => {
    expect(configs.filter(({ config }) => config.isController)).toHaveLength(3);
    expect(configs.filter(({ config }) => config.isBroker)).toHaveLength(3);
    expect(new Set(services.map(([, { image: name }]) => name)).size).toBe(1);
    expect(services.filter(([, { build }]) => build !== undefined)).toHaveLength(1);
  });

  it('gives every environment value as text', () => {
    for (const [, { environment }] of services)
      for (const value of Object.values(environment)) expect(typeof value).toBe('string');
  });

  it('gives every node its own id, and the service the name of the node', () => {
    for (const { name, config } of configs)
      expect(name).toBe(`${config.isController ? 'controller' : 'broker'}-${config.nodeId}`);
    expect(new Set(configs.map(({ config }) => config.nodeId)).size).toBe(configs.length);
  });

  it('names the controllers to all nodes as they listen', () => {
    const voters = configs
      .filter(({ config }) => config.isController)
      .map(({ name, config }) => ({ id: config.nodeId, endpoint: config.listeners.CONTROLLER, name }));
    for (const { config } of configs)
      expect(config.voters).toEqual(voters.map(({ id, endpoint }) => ({ id, endpoint })));
    for (const { endpoint, name } of voters) expect(endpoint?.host).toBe(name);
  });

  it('publishes the client port that a broker advertises, and nothing else', () => {
    for (const { service, config, name } of configs) {
      const { CLIENT, REPLICA } = config.advertised;
      if (!config.isBroker) {
        expect(service.ports).toBeUndefined();
        continue;
      }
      expect(service.ports).toEqual([`${CLIENT?.port}:${config.listeners.CLIENT?.port}`]);
      expect(REPLICA?.host).toBe(name);
    }
    const ports = configs.flatMap(({ config }) => config.advertised.CLIENT?.port ?? []);
    expect(new Set(ports).size).toBe(3);
  });

  it('keeps the data of each node on a volume of its own, where the image keeps it', () => {
    const [directory] = image?.all('VOLUME') ?? [];
    for (const { name, service, config } of configs) {
      expect(config.homeDirectory).toBe(directory);
      expect(service.volumes).toEqual([`${name}:${directory}`]);
    }
    expect(Object.keys(compose.volumes).sort()).toEqual(services.map(([name]) => name).sort());
  });

  it('starts and checks nodes as the image says', () => {
    for (const [, service] of services) {
      expect(service.command).toBeUndefined();
      expect(service.restart).toBe('unless-stopped');
    }
  });

  it('replicates by default what one dead broker must not stop', () => {
    for (const { config } of configs) {
      expect(config.integer('default.replication.factor')).toBe(3);
      expect(config.integer('min.insync.replicas')).toBe(2);
    }
  });
});
