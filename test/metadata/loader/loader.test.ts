import { describe, expect, it } from 'vitest';
import { SILENT } from '../../../src/env/index.ts';
import {
  encodeRecords,
  type ImageDelta,
  imageDigest,
  type MetadataFault,
  type MetadataImage,
  MetadataLoader,
  type MetadataPublisher,
  type MetadataRecord,
} from '../../../src/metadata/index.ts';
import type { Entry } from '../../../src/raft/core/messages.ts';
import { history } from '../arbitraries.ts';

const ID = 'AAAAAAAAAAAAAAAAAAAAAQ';
const topic: MetadataRecord = { kind: 'topic', name: 'lines', topicId: ID };

function data(offset: number, ...records: MetadataRecord[]): Entry {
  return { offset, epoch: 1, kind: 'data', payload: encodeRecords(records) };
}

function control(offset: number): Entry {
  return { offset, epoch: 1, kind: 'control', payload: new Uint8Array(3) };
}

class Recorder implements MetadataPublisher {
  readonly name: string;
  readonly seen: { delta: ImageDelta; image: MetadataImage }[] = [];
  constructor(name = 'recorder') {
    this.name = name;
  }
  publish(delta: ImageDelta, image: MetadataImage): void {
    this.seen.push({ delta, image });
  }
}

function loaderWith(publishers: MetadataPublisher[], highWatermark: () => number = () => 0) {
  const faults: MetadataFault[] = [];
  const onFault = (_: unknown, fault: MetadataFault) => faults.push(fault);
  return { loader: new MetadataLoader({ publishers, highWatermark, logger: SILENT, onFault }), faults };
}

describe('the loader', () => {
  it('publishes nothing before the high watermark is known, reached, and a record is there', () => {
    const recorder = new Recorder();
    let highWatermark = -1;
    const { loader } = loaderWith([recorder], () => highWatermark);
    loader.handleCommit([control(0)]);
    highWatermark = 1;
    loader.handleCommit([control(1)]);
    expect(recorder.seen).toHaveLength(0);
    highWatermark = 4;
    loader.handleCommit([data(2, topic)]);
    expect(recorder.seen).toHaveLength(0);
    loader.handleCommit([data(3, { kind: 'no-op' })]);
    expect(recorder.seen).toHaveLength(1);
    expect([...recorder.seen[0]!.delta.changedTopics.keys()]).toEqual([ID]);
    expect(recorder.seen[0]!.image.offset).toBe(4);
  });

  it('publishes one delta for a delivery, between the images before and after it', () => {
    const recorder = new Recorder();
    const { loader } = loaderWith([recorder]);
    loader.handleCommit([data(0, topic)]);
    loader.handleCommit([data(1, { kind: 'remove-topic', topicId: ID }), control(2)]);
    expect(recorder.seen.map(({ image }) => image.offset)).toEqual([1, 3]);
    expect(recorder.seen[1]!.delta.previous).toBe(recorder.seen[0]!.image);
    expect([...recorder.seen[1]!.delta.deletedTopics.keys()]).toEqual([ID]);
  });

  it('gives the same image for any way the entries are delivered', () => {
    const entries = history(5, 100).map((record, offset) => data(offset, record));
    const images = [1, 3, 100].map((size) => {
      const { loader } = loaderWith([]);
      for (let at = 0; at < entries.length; at += size) loader.handleCommit(entries.slice(at, at + size));
      return loader.image();
    });
    expect(new Set(images.map(imageDigest)).size).toBe(1);
    expect(images.map((image) => image.offset)).toEqual([100, 100, 100]);
  });

  it('fails on an entry given twice or skipped', () => {
    const { loader } = loaderWith([]);
    loader.handleCommit([data(0, topic)]);
    expect(() => loader.handleCommit([data(0, topic)])).toThrow(/each once/);
    expect(() => loader.handleCommit([data(2, topic)])).toThrow(/each once/);
  });

  it('gives a late publisher the whole image as a delta from the empty one', () => {
    const { loader } = loaderWith([]);
    const early = new Recorder();
    loader.addPublisher(early);
    expect(early.seen).toHaveLength(0);
    loader.handleCommit([data(0, topic)]);
    const late = new Recorder();
    loader.addPublisher(late);
    for (const { seen } of [early, late]) {
      expect(seen).toHaveLength(1);
      expect(seen[0]!.delta.previous.offset).toBe(0);
      expect([...seen[0]!.delta.changedTopics.keys()]).toEqual([ID]);
    }
  });

  it('calls publishers in order, also after one that throws', () => {
    const order: string[] = [];
    const publisher = (name: string, fail: boolean): MetadataPublisher => ({
      name,
      publish() {
        order.push(name);
        if (fail) throw new Error('broken');
      },
    });
    const { loader, faults } = loaderWith([
      publisher('a', false),
      publisher('b', true),
      publisher('c', false),
    ]);
    loader.handleCommit([data(0, topic)]);
    expect(order).toEqual(['a', 'b', 'c']);
    expect(faults).toEqual([{ during: 'publish', offset: 1, publisher: 'b' }]);
  });

  it('skips and counts a record that cannot be applied, and goes on behind it', () => {
    const recorder = new Recorder();
    const { loader, faults } = loaderWith([recorder]);
    const bad: MetadataRecord = { kind: 'remove-topic', topicId: 'AAAAAAAAAAAAAAAAAAAABA' };
    loader.handleCommit([data(0, bad, topic), { ...data(1), payload: Uint8Array.of(1, 2) }]);
    expect(faults).toEqual([
      { during: 'replay', offset: 0 },
      { during: 'replay', offset: 1 },
    ]);
    expect(loader.faults).toBe(2);
    expect(loader.image().offset).toBe(2);
    expect(recorder.seen[0]!.image.topics.find('lines')?.id).toBe(ID);
  });
});
