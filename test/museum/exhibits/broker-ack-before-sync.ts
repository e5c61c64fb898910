import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a broker counts records as flushed that it has not synced',
  source: 'nats-server#7564; KIP-966',
  edits: [
    {
      file: 'src/log/append/log-writer.ts',
      find: 'if (!caching) await this.#ports.sync(this.#segment);',
      replace: 'if (caching) await this.#ports.sync(this.#segment);',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};
