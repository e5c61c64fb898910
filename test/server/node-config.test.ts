import { describe, expect, it } from 'vitest';
import { nodeConfigFrom } from '../../src/server/config/node-config.ts';
import {
  mergeValues,
  valuesFromArguments,
  valuesFromEnvironment,
  valuesFromFile,
} from '../../src/server/config/sources.ts';

const BASE = [
  'process.roles=broker',
  'node.id=1',
  'controller.quorum.voters=101@127.0.0.1:9193',
  'listeners=CLIENT://127.0.0.1:9092,REPLICA://127.0.0.1:9192',
  'log.dirs=/data',
];
const configOf = (...settings: string[]) => nodeConfigFrom(valuesFromArguments([...BASE, ...settings]));

describe('configuration of a node', () => {
  it('gives defaults to keys that are not set', () => {
    expect(configOf().integer('replica.lag.time.max.ms')).toBe(10_000);
  });

  it('lets the arguments win over the environment, and the environment over the file', () => {
    const file = valuesFromFile('node.id: 1\nbroker.rack: file\nnum.partitions: 3', 'a.yaml');
    const environment = valuesFromEnvironment({ QUORATE_BROKER_RACK: 'env', QUORATE_NUM_PARTITIONS: '4' });
    const merged = mergeValues(file, environment, valuesFromArguments(['num.partitions=5']));
    expect(merged.get('node.id')?.value).toBe('1');
    expect(merged.get('broker.rack')?.value).toBe('env');
    expect(merged.get('num.partitions')?.value).toBe('5');
  });

  it('reads nested maps and lists of a file as dotted keys and comma separated values', () => {
    const values = valuesFromFile('process:\n  roles: [broker, controller]\n', 'a.yaml');
    expect(values.get('process.roles')?.value).toBe('broker,controller');
  });

  it('takes several data directories; the metadata log, and so the home, is in the first or where it is said', () => {
    const { logDirectories, homeDirectory } = configOf('log.dirs=/a/, /b ,/c');
    expect([logDirectories, homeDirectory]).toEqual([['/a', '/b', '/c'], '/a']);
    for (const home of ['/b', '/m'])
      expect(configOf('log.dirs=/a,/b', `metadata.log.dir=${home}/`)).toMatchObject({
        logDirectories: ['/a', '/b'],
        homeDirectory: home,
      });
  });

  it('refuses a data directory that is named twice', () => {
    expect(() => configOf('log.dirs=/a,/b,/a/')).toThrow('log.dirs names /a twice');
  });

  it('refuses an unknown key and names the nearest known one', () => {
    expect(() => configOf('min.insync.replica=2')).toThrow(/did you mean "min.insync.replicas"/);
  });

  it('refuses an unknown environment variable', () => {
    expect(() => valuesFromEnvironment({ QUORATE_NODEID: '1' })).toThrow(/did you mean QUORATE_NODE_ID/);
  });

  it('refuses a value outside its range, naming the key, the range and the value', () => {
    expect(() => configOf('num.partitions=0')).toThrow(/num.partitions .*from 1 to .*not 0/);
  });

  it('refuses a missing required key with an example', () => {
    expect(() => nodeConfigFrom(new Map())).toThrow(/process.roles is missing.*for example/);
  });

  it('refuses a controller that is not among the voters', () => {
    expect(() => configOf('process.roles=controller', 'listeners=CONTROLLER://127.0.0.1:1')).toThrow(
      /not in controller.quorum.voters/,
    );
  });

  it('refuses a voter without the controller role', () => {
    expect(() => configOf('node.id=101')).toThrow(/has no controller/);
  });

  it('refuses heartbeats that are rarer than the session timeout', () => {
    expect(() => configOf('broker.heartbeat.interval.ms=9000')).toThrow(/must be below/);
  });

  it('refuses a listener that is not NAME://host:port', () => {
    expect(() => configOf('listeners=127.0.0.1:9092')).toThrow(/is not NAME:\/\/host:port/);
  });

  it('keeps the keys that were set apart from the defaults', () => {
    const { explicit } = configOf('log.segment.bytes=1000');
    expect(explicit['log.segment.bytes']).toBe('1000');
    expect(explicit['num.partitions']).toBeUndefined();
  });
});
