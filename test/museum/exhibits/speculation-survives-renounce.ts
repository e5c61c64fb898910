import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a new active controller decides on what it wrote in an earlier office',
  source: 'KAFKA-20839',
  edits: [
    {
      file: 'src/machine/machine.ts',
      find: `  #isRunning = false;

`,
      replace: `  #isRunning = false;
  #kept: Image | undefined;

`,
    },
    {
      file: 'src/machine/machine.ts',
      find: `    const leading = this.#leading;
    this.#leading = undefined;`,
      replace: `    const leading = this.#leading;
    this.#kept = leading?.speculative;
    this.#leading = undefined;`,
    },
    {
      file: 'src/machine/machine.ts',
      find: 'nextOffset === 0 ? this.#committed : this.#options.advance(this.#committed, nextOffset - 1, epoch);',
      replace: `nextOffset === 0
        ? this.#committed
        : this.#options.advance(this.#kept ?? this.#committed, nextOffset - 1, epoch);`,
    },
  ],
  killedBy: { test: 'test/machine/machine.test.ts' },
  seedsMax: 200,
};
