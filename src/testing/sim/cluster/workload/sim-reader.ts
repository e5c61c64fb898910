/** A client process that reads all topics from the beginning, dies now and then, and writes down what it saw. */
import { SeededRandom } from '../../../../base/index.ts';
import type { Client, Consumer } from '../../../../client/index.ts';
import { type HistoryRecorder, readValue } from '../../../checkers/index.ts';
import type { SimWorld } from '../world.ts';

const PAUSE_MS = 500;

export class SimReader {
  readonly name: string;
  /** How often it was given records. */
  readings = 0;
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  #stopped = false;
  #client: Client | undefined;

  constructor(world: SimWorld, name: string) {
    this.#world = world;
    this.name = name;
    this.#random = new SeededRandom(world.options.seed, name);
  }

  async run(): Promise<void> {
    for (let life = 1; !this.#stopped; life++) {
      const { recorder, scheduler, options } = this.#world;
      const client = this.#world.client(this.name, { requestTimeoutMs: 10_000 });
      this.#client = client;
      const name = `${this.name}/${life}`;
      const lifeMs = -Math.log(1 - this.#random.float()) * options.readerLifeMs;
      const death = scheduler.after(lifeMs, () => void client.close());
      try {
        await readAll(this.#world, name, client, false, () => this.readings++);
      } catch (error) {
        this.#world.note(`${name}: ${String(error)}`);
      }
      death.cancel();
      recorder.note(name, { f: 'crash' });
      await client.close();
      await this.#world.pause(this.#random, PAUSE_MS);
    }
  }

  stop(): void {
    this.#stopped = true;
    void this.#client?.close();
  }
}

/** Reads every topic from the beginning: up to the end as it is now, or until the client is closed. */
export async function readAll(
  world: SimWorld,
  name: string,
  client: Client,
  untilEnd: boolean,
  given: () => void = () => {},
): Promise<void> {
  const { recorder, options } = world;
  const assignment = options.topics.flatMap((topic) =>
    Array.from({ length: topic.partitions }, (_, partition) => ({ topic: topic.name, partition })),
  );
  const positions = assignment.map((one) => ({ ...one, from: 'beginning' as const }));
  recorder.note(name, { f: 'assign', positions });
  const { readerWaitMs: maxWaitMs, readerMaxBytes: maxBytes } = options;
  // In the end there is no time for many small ones.
  const limits = maxBytes === undefined || untilEnd ? {} : { maxBytes, maxPartitionBytes: maxBytes };
  const consumer = client.consumer({ assignment, from: 'beginning', maxWaitMs, ...limits });
  if (untilEnd) await noteEnds(recorder, name, consumer);
  const batches = untilEnd ? consumer.batchesUntilEnd() : consumer.batches();
  for (;;) {
    const pending = recorder.invoke(name, { f: 'poll' });
    const { value, done } = await batches.next();
    if (done === true) {
      pending.ok();
      return;
    }
    const { topic, partition, highWatermark } = value;
    world.trace.count('records read', value.records.length);
    const records = value.records.map((record) => [record.offset, readValue(record.value)] as const);
    given();
    pending.ok({ polled: [{ topic, partition, records, highWatermark }] });
  }
}

/** What the leaders say the ends are: what they do not show then is missed. */
async function noteEnds(recorder: HistoryRecorder, name: string, consumer: Consumer): Promise<void> {
  const pending = recorder.invoke(name, { f: 'ends', partitions: [] });
  const ends = await consumer.endOffsets();
  pending.ok({ partitions: ends.map(({ topic, partition, offset: end }) => ({ topic, partition, end })) });
}
