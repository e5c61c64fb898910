/** The store of the quorum and the driver above it. */
import { type FailurePoint, inFile } from '../failure-point.ts';

export const STORE_POINTS: readonly FailurePoint[] = [
  ...inFile('src/raft/store/durable-quorum-store.ts', [
    {
      name: 'quorum.append.before-batch',
      before: 'await this.#store.batch(operations, { sync: true });',
      of: 'this.#store',
    },
    {
      name: 'quorum.append.after-batch',
      after: 'await this.#store.batch(operations, { sync: true });',
      of: 'this.#store',
    },
    {
      name: 'quorum.append.before-answer',
      before: 'for (const append of group) append.resolve();',
      of: 'this.#store',
    },
    {
      name: 'quorum.truncate.before-floor',
      before: 'hash = await this.#hashBefore(from);',
      of: 'this.#store',
    },
    {
      name: 'quorum.truncate.after-floor',
      after: 'if (this.#hardState.wanted.tailFloor > from) await this.#hardState.save({ tailFloor: from });',
      of: 'this.#store',
    },
    {
      name: 'quorum.floor.before-raise',
      before: 'this.#saving(this.#hardState.save({ tailFloor: this.#safeFloor() })).then(',
      of: 'this.#store',
    },
  ]),
  ...inFile('src/raft/store/hard-state-file.ts', [
    {
      name: 'quorum.hard-state.before-write',
      before: 'await this.#handle.write(',
      of: 'this.#handle',
    },
    {
      name: 'quorum.hard-state.before-sync',
      before: 'await this.#handle.sync();',
      of: 'this.#handle',
    },
    {
      name: 'quorum.hard-state.after-sync',
      after: 'await this.#handle.sync();',
      of: 'this.#handle',
    },
    {
      name: 'quorum.open.before-sync',
      after: 'await handle.write([bytes], 0);',
      of: 'handle',
    },
  ]),
  ...inFile('src/raft/store/format-quorum-store.ts', [
    {
      name: 'quorum.format.before-log',
      before: 'const store = await stores.open(paths.log);',
      of: 'files',
      reach: 'simulation',
    },
    {
      name: 'quorum.format.before-rename',
      before: 'await files.rename(paths.newState, paths.state);',
      of: 'files',
      reach: 'simulation',
    },
    {
      name: 'quorum.format.after-rename',
      after: 'await files.rename(paths.newState, paths.state);',
      of: 'files',
      reach: 'simulation',
    },
  ]),
];

const PORTS = 'this.#ports.timers';

export const DRIVER_POINTS: readonly FailurePoint[] = inFile('src/raft/node/driver.ts', [
  {
    name: 'quorum.propose.before-effects',
    before: 'this.#effects.push(...outcome.effects);',
    of: PORTS,
  },
  {
    name: 'quorum.found.after-save',
    before: 'this.#hardState = state;\n      this.#startCore();',
    of: PORTS,
    reach: 'simulation',
  },
  {
    name: 'quorum.saved.before-step',
    before: "if (error !== undefined) this.#die('sync-failed', error);\n    else",
    of: PORTS,
  },
  {
    name: 'quorum.commit.before-feed',
    before: 'return this.#forEachFeed((feed) => feed.pump());',
    of: PORTS,
  },
  {
    name: 'quorum.vote.before-send',
    before: 'this.#ports.calls.call(to, message, timeoutMs, (result) => {',
    of: `message.kind === 'vote' ? ${PORTS} : undefined`,
  },
  {
    name: 'quorum.fetch.before-send',
    before: 'this.#ports.calls.call(to, message, timeoutMs, (result) => {',
    of: `message.kind === 'fetch' ? ${PORTS} : undefined`,
  },
  {
    name: 'quorum.vote-reply.before-send',
    before: 'reply(answer);',
    of: `answer.kind === 'vote' ? ${PORTS} : undefined`,
  },
  {
    name: 'quorum.vote-reply.after-send',
    after: 'reply(answer);',
    of: `answer.kind === 'vote' ? ${PORTS} : undefined`,
  },
  {
    name: 'quorum.fetch-reply.before-send',
    before: 'reply(answer);',
    of: `answer.kind === 'fetch' ? ${PORTS} : undefined`,
  },
  {
    name: 'quorum.fetch-reply.after-send',
    after: 'reply(answer);',
    of: `answer.kind === 'fetch' ? ${PORTS} : undefined`,
  },
]);
