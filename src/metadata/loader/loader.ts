/**
 * Follows the committed metadata log and tells publishers what changed.
 *
 * Laws: every committed entry is applied once, in order. Nothing is published before the log has been followed up to the
 * high watermark and holds a record: half-loaded metadata would make a broker delete what it only does not know yet.
 * Publishers are called synchronously, in their order, once per delivery; what one throws is reported, the others still
 * run. A record that cannot be applied is reported and skipped. Source: Kafka's MetadataLoader.
 */
import { assert, type Offset } from '../../base/index.ts';
import type { Logger } from '../../env/index.ts';
import type { Entry } from '../../raft/core/messages.ts';
import { deltaFromEmpty, deltaOf, type ImageDelta } from '../image/delta.ts';
import { advance, EMPTY_IMAGE, type MetadataImage, replay } from '../image/image.ts';
import { decodeRecords } from '../records/codec.ts';
import type { MetadataRecord } from '../records/records.ts';

export interface MetadataPublisher {
  readonly name: string;
  /** Must not block, and must not keep `delta`. `image` is delta.previous with the delta applied. */
  publish(delta: ImageDelta, image: MetadataImage): void;
}

export interface MetadataLoaderOptions {
  readonly publishers: readonly MetadataPublisher[];
  /** The quorum's high watermark, exclusive, also where this node's own log does not reach it yet; -1: unknown. */
  readonly highWatermark: () => Offset;
  readonly logger: Logger;
  /** A record was skipped or a publisher threw: this node's view may be wrong from here on. */
  readonly onFault: (error: unknown, fault: MetadataFault) => void;
}

export interface MetadataFault {
  readonly during: 'replay' | 'publish';
  readonly offset: Offset;
  readonly publisher?: string;
}

/** A QuorumListener. */
export class MetadataLoader {
  readonly #publishers: MetadataPublisher[];
  readonly #options: MetadataLoaderOptions;
  #image: MetadataImage = EMPTY_IMAGE;
  /** What the publishers have seen. */
  #published: MetadataImage | undefined;
  /** Applied since the last publication; not kept before the first. */
  #records: MetadataRecord[] = [];
  #hasRecords = false;
  #faults = 0;

  constructor(options: MetadataLoaderOptions) {
    this.#options = options;
    this.#publishers = [...options.publishers];
  }

  /** All that is committed and known here, published or not. */
  image(): MetadataImage {
    return this.#image;
  }

  /** How often `onFault` was called. */
  get faults(): number {
    return this.#faults;
  }

  /** It gets the whole image as a delta from the empty one: now, or when the first is published. */
  addPublisher(publisher: MetadataPublisher): void {
    this.#publishers.push(publisher);
    if (this.#published !== undefined)
      this.#call(publisher, deltaFromEmpty(this.#published), this.#published);
  }

  handleCommit(entries: readonly Entry[]): void {
    for (const entry of entries) this.#apply(entry);
    this.#maybePublish();
  }

  handleLeaderChange(): void {
    // Who leads the quorum is not part of the image.
  }

  handleLeading(): void {
    // Leading is the controller's business.
  }

  handleNotLeading(): void {
    // Leading is the controller's business.
  }

  #apply(entry: Entry): void {
    assert(entry.offset === this.#image.offset, 'committed entries come in order, each once', {
      offset: entry.offset,
      expected: this.#image.offset,
    });
    if (entry.kind === 'data') {
      try {
        for (const record of decodeRecords(entry.payload)) this.#applyRecord(record, entry.offset);
      } catch (error) {
        this.#fault(error, { during: 'replay', offset: entry.offset });
      }
    }
    this.#image = advance(this.#image, entry.offset, entry.epoch);
  }

  #applyRecord(record: MetadataRecord, offset: Offset): void {
    try {
      this.#image = replay(this.#image, record);
      this.#hasRecords = true;
      if (this.#published !== undefined) this.#records.push(record);
    } catch (error) {
      this.#fault(error, { during: 'replay', offset });
    }
  }

  #maybePublish(): void {
    const image = this.#image;
    if (this.#published === undefined) {
      const highWatermark = this.#options.highWatermark();
      if (highWatermark < 0 || image.offset < highWatermark || !this.#hasRecords) return;
      this.#options.logger.info({ offset: image.offset }, 'metadata caught up');
    } else if (this.#published.offset === image.offset) {
      return;
    }
    const delta =
      this.#published === undefined ? deltaFromEmpty(image) : deltaOf(this.#published, image, this.#records);
    this.#records = [];
    this.#published = image;
    for (const publisher of [...this.#publishers]) this.#call(publisher, delta, image);
  }

  #call(publisher: MetadataPublisher, delta: ImageDelta, image: MetadataImage): void {
    try {
      publisher.publish(delta, image);
    } catch (error) {
      this.#fault(error, { during: 'publish', offset: image.offset, publisher: publisher.name });
    }
  }

  #fault(error: unknown, fault: MetadataFault): void {
    this.#faults += 1;
    this.#options.logger.error({ ...fault, error }, 'metadata fault');
    this.#options.onFault(error, fault);
  }
}
