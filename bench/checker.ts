/**
 * How fast a history is judged: a correct one of sends and polls in equal parts, made while it is read, so that only the
 * checker's own memory counts.
 *
 *     node --expose-gc bench/checker.ts [operations]
 */
import process from 'node:process';
import {
  checkHistory,
  type HistoryEvent,
  type Operation,
  type PolledRecord,
} from '../src/testing/checkers/index.ts';

const OPERATIONS = Number(process.argv[2] ?? 1_000_000);
const PARTITIONS = 16;
const CLIENTS = 8;
const VALUES_PER_SEND = 2;
const RECORDS_MAX = 20;

function* history(operations: number): Generator<HistoryEvent> {
  const logs = Array.from({ length: PARTITIONS }, (): string[] => []);
  const positions = Array.from({ length: CLIENTS }, () => new Array<number>(PARTITIONS).fill(0));
  let index = 0;
  for (let i = 0; i < operations; i++) {
    const client = (i >> 1) % CLIENTS;
    const process = i % 2 === 0 ? `p${client}` : `c${client}`;
    const partition = (i >> 1) % PARTITIONS;
    const log = logs[partition] ?? [];
    const event = (type: 'invoke' | 'ok', operation: Operation): HistoryEvent => {
      const invokedAt = type === 'ok' ? { invokedAt: index - 1 } : {};
      return { index: index++, timeMs: i, process, type, operation, ...invokedAt };
    };
    if (i % 2 === 0) {
      const values = Array.from({ length: VALUES_PER_SEND }, (_, value) => `${process}.${i}.${value}`);
      const send = { f: 'send', topic: 't', partition, values, producer: process } as const;
      yield event('invoke', send);
      const placed = [{ partition, offset: log.length, count: values.length }];
      log.push(...values);
      yield event('ok', { ...send, placed });
    } else {
      yield event('invoke', { f: 'poll' });
      const from = positions[client]?.[partition] ?? 0;
      const records = log
        .slice(from, from + RECORDS_MAX)
        .map((value, at): PolledRecord => [from + at, value]);
      positions[client]?.splice(partition, 1, from + records.length);
      yield event('ok', { f: 'poll', polled: [{ topic: 't', partition, records }] });
    }
  }
}

function measure(operations: number): void {
  globalThis.gc?.();
  const beforeMb = process.memoryUsage().rss / 2 ** 20;
  const began = process.cpuUsage();
  const { valid, counters } = checkHistory(history(operations));
  const { user, system } = process.cpuUsage(began);
  const seconds = (user + system) / 1e6;
  const grownMb = process.memoryUsage().rss / 2 ** 20 - beforeMb;
  process.stdout.write(
    `${operations} operations, ${counters.polled} records read, ${valid ? 'valid' : 'INVALID'}: ${seconds.toFixed(1)} CPU-s, ` +
      `${Math.round(operations / seconds / 1000)} k operations/s, ${Math.round(grownMb)} MB\n`,
  );
}

measure(Math.ceil(OPERATIONS / 10));
measure(OPERATIONS);
