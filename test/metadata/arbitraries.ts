/** Random records, and random sequences of records that can follow each other. */
import fc from 'fast-check';
import { SeededRandom, shuffle, uuidFromBytes, ZERO_UUID } from '../../src/base/index.ts';
import { EMPTY_IMAGE, type MetadataImage, type MetadataRecord, replay } from '../../src/metadata/index.ts';

const uuid = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map(uuidFromBytes)
  .filter((id) => id !== ZERO_UUID);
const nodeId = fc.integer({ min: -1, max: 2 ** 31 - 1 });
const nodeIds = fc.array(nodeId, { maxLength: 5 });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const long = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const text = fc.string({ maxLength: 12 });
const recovery = fc.constantFrom('recovered' as const, 'recovering' as const);
const resourceType = fc.constantFrom('topic' as const, 'broker' as const);

function record<T>(
  model: { [K in keyof T]: fc.Arbitrary<T[K]> },
  optional: (keyof T)[] = [],
): fc.Arbitrary<T> {
  const requiredKeys = (Object.keys(model) as (keyof T)[]).filter((key) => !optional.includes(key));
  return fc.record(model, { requiredKeys, noNullPrototype: true }) as fc.Arbitrary<T>;
}

const kind = <K extends string>(name: K): fc.Arbitrary<K> => fc.constant(name);

/** Any record that can be written, whether or not it makes sense. */
export const anyRecord: fc.Arbitrary<MetadataRecord> = fc.oneof<fc.Arbitrary<MetadataRecord>[]>(
  record(
    {
      kind: kind('register-broker'),
      brokerId: nodeId,
      incarnationId: uuid,
      brokerEpoch: long,
      listeners: fc.array(
        record({ name: fc.constantFrom('client' as const, 'replica' as const), host: text, port: uint32 }),
        { maxLength: 3 },
      ),
      features: fc.array(record({ name: text, min: uint32, max: uint32 }), { maxLength: 3 }),
      rack: text,
      fenced: fc.boolean(),
      inControlledShutdown: fc.boolean(),
      logDirs: fc.array(uuid, { maxLength: 3 }),
    },
    ['rack'],
  ),
  record({ kind: kind('unregister-broker'), brokerId: nodeId, brokerEpoch: long }),
  record({ kind: kind('topic'), name: text, topicId: uuid }),
  record({
    kind: kind('partition'),
    partitionId: uint32,
    topicId: uuid,
    replicas: nodeIds,
    isr: nodeIds,
    removingReplicas: nodeIds,
    addingReplicas: nodeIds,
    leader: nodeId,
    leaderRecoveryState: recovery,
    leaderEpoch: uint32,
    partitionEpoch: uint32,
    directories: fc.array(uuid, { maxLength: 3 }),
  }),
  record({ kind: kind('config'), resourceType, resourceName: text, name: text, value: text }, ['value']),
  record(
    {
      kind: kind('partition-change'),
      partitionId: uint32,
      topicId: uuid,
      isr: nodeIds,
      leader: nodeId,
      replicas: nodeIds,
      removingReplicas: nodeIds,
      addingReplicas: nodeIds,
      leaderRecoveryState: recovery,
      directories: fc.array(uuid, { maxLength: 3 }),
    },
    ['isr', 'leader', 'replicas', 'removingReplicas', 'addingReplicas', 'leaderRecoveryState', 'directories'],
  ),
  record({ kind: kind('remove-topic'), topicId: uuid }),
  record({ kind: kind('feature-level'), name: text, featureLevel: uint32 }),
  record({ kind: kind('producer-ids'), brokerId: nodeId, brokerEpoch: long, nextProducerId: long }),
  record(
    {
      kind: kind('broker-registration-change'),
      brokerId: nodeId,
      brokerEpoch: long,
      fenced: fc.constantFrom('none' as const, 'fence' as const, 'unfence' as const),
      inControlledShutdown: fc.constantFrom('none' as const, 'in-controlled-shutdown' as const),
      logDirs: fc.array(uuid, { maxLength: 3 }),
    },
    ['logDirs'],
  ),
  record({ kind: kind('no-op') }),
);

/** Records of a plausible history, each of which can follow the ones before it. */
export function history(seed: number, count: number): MetadataRecord[] {
  const random = new SeededRandom(seed, 'history');
  const records: MetadataRecord[] = [];
  let image = EMPTY_IMAGE;
  while (records.length < count) {
    for (const next of nextRecords(image, random, records.length)) {
      image = replay(image, next);
      records.push(next);
    }
  }
  return records;
}

function nextRecords(image: MetadataImage, random: SeededRandom, offset: number): MetadataRecord[] {
  const brokers = [...image.cluster.brokers.values()].sort((a, b) => a.id - b.id);
  const topics = [...image.topics.byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const broker = brokers[random.integer(0, Math.max(1, brokers.length))];
  const topic = topics[random.integer(0, Math.max(1, topics.length))];
  const draw = random.integer(0, 10);
  if (draw === 0 || broker === undefined) return [registration(random, offset)];
  if (draw === 1) {
    const change = { brokerId: broker.id, brokerEpoch: broker.epoch, inControlledShutdown: 'none' } as const;
    return [{ kind: 'broker-registration-change', ...change, fenced: broker.fenced ? 'unfence' : 'fence' }];
  }
  if (draw === 2) return configs(random, topic?.name);
  if (draw === 3)
    return [{ kind: 'feature-level', name: `f${offset % 3}`, featureLevel: random.integer(0, 3) }];
  if (draw === 4) {
    const nextProducerId = image.producerIds.nextProducerId + 1000;
    return [{ kind: 'producer-ids', brokerId: broker.id, brokerEpoch: broker.epoch, nextProducerId }];
  }
  if (draw <= 6 || topic === undefined) return creation(image, random, offset);
  if (draw === 7) return [{ kind: 'remove-topic', topicId: topic.id }];
  const partitionId = random.integer(0, topic.partitions.length);
  const partition = topic.partitions[partitionId]!;
  const isr = shuffle([...partition.replicas], random).slice(
    0,
    random.integer(1, partition.replicas.length + 1),
  );
  const leader = random.integer(0, 3) === 0 ? -1 : isr[0]!;
  return [{ kind: 'partition-change', partitionId, topicId: topic.id, isr, leader }];
}

function registration(random: SeededRandom, offset: number): MetadataRecord {
  return {
    kind: 'register-broker',
    brokerId: random.integer(0, 5),
    incarnationId: uuidFromBytes(random.bytes(16)),
    brokerEpoch: offset,
    listeners: [{ name: 'client', host: 'h', port: 1 }],
    features: [],
    fenced: true,
    inControlledShutdown: false,
    logDirs: [uuidFromBytes(random.bytes(16))],
  };
}

function configs(random: SeededRandom, topic: string | undefined): MetadataRecord[] {
  const name = `key${random.integer(0, 3)}`;
  const removed = random.integer(0, 3) === 0;
  const resource =
    topic === undefined
      ? ({ resourceType: 'broker', resourceName: '' } as const)
      : ({ resourceType: 'topic', resourceName: topic } as const);
  return [{ kind: 'config', ...resource, name, ...(removed ? {} : { value: String(random.integer(0, 9)) }) }];
}

function creation(image: MetadataImage, random: SeededRandom, offset: number): MetadataRecord[] {
  const name = `topic${random.integer(0, 8)}`;
  const old = image.topics.find(name);
  const topicId = uuidFromBytes(random.bytes(16));
  const records: MetadataRecord[] = old === undefined ? [] : [{ kind: 'remove-topic', topicId: old.id }];
  records.push({ kind: 'topic', name, topicId });
  for (let partitionId = 0; partitionId <= offset % 3; partitionId++) {
    const replicas = shuffle([0, 1, 2, 3, 4], random).slice(0, random.integer(1, 4));
    records.push({
      kind: 'partition',
      partitionId,
      topicId,
      replicas,
      isr: replicas,
      removingReplicas: [],
      addingReplicas: [],
      leader: replicas[0]!,
      leaderRecoveryState: 'recovered',
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: replicas.map(() => topicId),
    });
  }
  return records;
}
