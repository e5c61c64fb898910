import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a follower takes the high watermark of a reply that says diverging',
  source: 'KAFKA-14704',
  edits: [
    {
      file: 'src/broker/replica/leader-replies.ts',
      find: 'else if (part.divergingEpoch !== undefined) this.#handleDivergence(entry, part.divergingEpoch);',
      replace: `else if (part.divergingEpoch !== undefined) {
      entry.partition.followLeader({ ...part, logStartOffset: 0 });
      this.#handleDivergence(entry, part.divergingEpoch);
    }`,
    },
    {
      file: 'src/broker/replica/session-partition.ts',
      find: `if (this.#verdict.kind === 'diverges') return this.#final({ divergingEpoch: this.#verdict.end });`,
      replace: `if (this.#verdict.kind === 'diverges')
      return this.#final({ divergingEpoch: this.#verdict.end, highWatermark: log.highWatermark });`,
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};
