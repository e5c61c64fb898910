/** Clients that produce and consume while the nemesis is at work; each in its own client, so that connections are its own. */
import { setTimeout as pause } from 'node:timers/promises';
import { ApiError, SeededRandom } from '../../src/base/index.ts';
import type { Client, ProducerOptions } from '../../src/client/index.ts';
import type { Logger } from '../../src/env/index.ts';
import { createClient } from '../../src/index.ts';
import { encodeValue } from '../../src/testing/index.ts';
import { contextOf, type Observations } from './observations.ts';

export interface ProducerPlan {
  readonly name: string;
  readonly topic: string;
  readonly partitions: number;
  readonly options: ProducerOptions;
}

export interface ReaderPlan extends Pick<ProducerPlan, 'name' | 'topic' | 'partitions'> {
  /** A log may end before the reader's place. */
  readonly mayLose: boolean;
}

export interface ProducingListener {
  /** An acknowledgement of something sent at `sentMs`. */
  handleAck(topic: string, partition: number, sentMs: number): void;
  /** It has to be sent again. */
  handleRefusal(topic: string, partition: number, error: string): void;
}

type DrawnRecord = { readonly key?: string; readonly partition?: number };

/** Sends that one producer may have open; it waits then. */
const OPEN_MAX = 40;
const PAYLOAD_BYTES_MAX = 600;
const BATCH_MAX = 40;

export class ProducingClient {
  readonly #plan: ProducerPlan;
  readonly #history: Observations;
  readonly #listener: ProducingListener;
  readonly #random: SeededRandom;
  readonly #client: Client;
  readonly #open = new Set<Promise<void>>();
  #sent = 0;
  #stopped = false;

  constructor(
    plan: ProducerPlan,
    bootstrap: string,
    seed: number,
    history: Observations,
    listener: ProducingListener,
  ) {
    this.#plan = plan;
    this.#history = history;
    this.#listener = listener;
    this.#random = new SeededRandom(seed, plan.name);
    const logger = clientLogger(plan.name, history, listener);
    this.#client = createClient({ bootstrap, clientId: plan.name, logger });
  }

  /** Resolves after `stop`, when everything is settled. */
  async run(): Promise<void> {
    const producer = this.#client.producer(this.#plan.options);
    while (!this.#stopped) {
      const { topic, name } = this.#plan;
      const records = this.#draw();
      const values = records.map(() => `${name}.${this.#sent++}`);
      const input = records.map((record, index) => {
        const sizeBytes = this.#random.integer(0, PAYLOAD_BYTES_MAX);
        return {
          ...record,
          value: encodeValue(values[index] ?? '', sizeBytes, contextOf(topic, record.key)),
        };
      });
      const [first] = records;
      const partition = first?.partition === undefined ? {} : { partition: first.partition };
      const sentMs = performance.now();
      const send = { f: 'send', topic, ...partition, values, producer: name } as const;
      const pending = this.#history.recorder.invoke(name, send);
      const settled = producer.send(topic, input).then(
        (placed) => {
          pending.ok({ placed });
          for (const one of placed) this.#listener.handleAck(topic, one.partition, sentMs);
        },
        (error: unknown) => {
          pending.caught(error);
          if (!(error instanceof ApiError)) this.#history.find(`${name}: send threw ${String(error)}`);
        },
      );
      this.#open.add(settled);
      settled.then(() => this.#open.delete(settled));
      if (this.#open.size >= OPEN_MAX) await Promise.race(this.#open);
      await pause(this.#random.integer(0, 30));
    }
    await producer.close();
    await Promise.all(this.#open);
    await this.#client.close();
  }

  stop(): void {
    this.#stopped = true;
  }

  /** One record, or several: to one partition, or wherever their keys belong. */
  #draw(): DrawnRecord[] {
    const partition = this.#random.integer(0, this.#plan.partitions);
    const count = this.#random.float() < 0.4 ? 1 : this.#random.integer(1, BATCH_MAX);
    const keyed = this.#random.float() < 0.3;
    return Array.from({ length: count }, () =>
      keyed ? { key: `k${this.#random.integer(0, 100)}` } : { partition },
    );
  }
}

/** Reads a topic from its beginning, again and again, each time with a consumer of its own until it is stopped. */
export class ReadingClient {
  readonly #name: string;
  readonly #topic: string;
  readonly #partitions: number;
  readonly #mayLose: boolean;
  readonly #history: Observations;
  readonly #random: SeededRandom;
  readonly #client: Client;
  #stop = new AbortController();
  #stopped = false;
  #lives = 0;

  constructor(
    { name, topic, partitions, mayLose }: ReaderPlan,
    bootstrap: string,
    seed: number,
    history: Observations,
  ) {
    this.#name = name;
    this.#topic = topic;
    this.#partitions = partitions;
    this.#mayLose = mayLose;
    this.#history = history;
    this.#random = new SeededRandom(seed, name);
    this.#client = createClient({ bootstrap, clientId: name, logger: clientLogger(name, history) });
  }

  /** Each reader lives for 5 to `longestMs`. */
  async run(longestMs: number): Promise<void> {
    while (!this.#stopped) {
      this.#stop = new AbortController();
      const over = setTimeout(() => this.#stop.abort(), this.#random.integer(5000, longestMs));
      try {
        await this.#read();
      } catch (error) {
        this.#history.find(`${this.#name}: ${error instanceof Error ? error.stack : String(error)}`);
      }
      clearTimeout(over);
    }
    await this.#client.close();
  }

  stop(): void {
    this.#stopped = true;
    this.#stop.abort();
  }

  async #read(): Promise<void> {
    const { signal } = this.#stop;
    const options = { topic: this.#topic, from: 'beginning', offsetReset: 'none', signal } as const;
    const consumer = this.#client.consumer(options);
    const who = `${this.#name}/${this.#lives++}`;
    try {
      await this.#history.read(who, this.#topic, this.#partitions, consumer.batches());
    } catch (error) {
      // Nobody there when the reader began, or nothing at its place any more: it tries again.
      if (!(error instanceof ApiError) || !(error.retriable || this.#isToBear(error.code))) throw error;
      await pause(200);
    } finally {
      await consumer.close();
    }
  }

  #isToBear(code: ApiError['code']): boolean {
    return code === 'BROKER_NOT_AVAILABLE' || (this.#mayLose && code === 'OFFSET_OUT_OF_RANGE');
  }
}

/** An error in the log of a client is a finding. */
function clientLogger(
  name: string,
  history: Observations,
  listener?: Pick<ProducingListener, 'handleRefusal'>,
): Logger {
  const logger: Logger = {
    error: (fields, message) => history.find(`${name} logs: ${message} ${JSON.stringify(fields)}`),
    warn() {},
    info() {},
    debug({ topic, partition, error }, message) {
      if (message === 'batch refused')
        listener?.handleRefusal(String(topic), Number(partition), String(error).replace(/:.*/s, ''));
    },
    child: () => logger,
  };
  return logger;
}
