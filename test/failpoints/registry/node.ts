/** A node as a whole: its home, files that are replaced, its registration and heartbeats, the metadata it is told of. */
import { type FailurePoint, inFile } from '../failure-point.ts';

const ENVIRONMENT = 'this.#options.environment.timers';

export const NODE_POINTS: readonly FailurePoint[] = [
  ...inFile('src/env/whole-file.ts', [
    { name: 'file.replace.before-sync', after: 'await handle.write([bytes], 0);', of: 'files' },
    { name: 'file.replace.before-rename', before: 'await files.rename(temporary, path);', of: 'files' },
    {
      name: 'file.replace.before-name-is-durable',
      after: 'await files.rename(temporary, path);',
      of: 'files',
    },
  ]),
  ...inFile('src/server/storage.ts', [
    {
      name: 'node.format.before-whose',
      before: 'await writeMetaProperties(files, config.homeDirectory, identity);',
      of: 'files',
      reach: 'simulation',
    },
    {
      name: 'node.found.before-whose',
      before: 'await writeMetaProperties(environment.files, config.homeDirectory,',
      of: 'environment.files',
      reach: 'simulation',
    },
  ]),
  ...inFile('src/broker/lifecycle/lifecycle.ts', [
    {
      name: 'broker.register.before-send',
      before: 'const reply = await connection.controller.registerBroker(request, call);',
      of: ENVIRONMENT,
    },
    {
      name: 'broker.register.after-reply',
      after: 'const reply = await connection.controller.registerBroker(request, call);',
      of: ENVIRONMENT,
    },
    {
      name: 'broker.session.before-open',
      before: 'const heartbeats = connection.controller.session(replies, { signal: this.#abort.signal });',
      of: ENVIRONMENT,
    },
    {
      name: 'broker.heartbeat.before-send',
      before:
        'if (this.#session?.number === effect.session) this.#session.heartbeats.send(effect.heartbeat);',
      of: ENVIRONMENT,
    },
    {
      name: 'broker.heartbeat.after-send',
      after: 'if (this.#session?.number === effect.session) this.#session.heartbeats.send(effect.heartbeat);',
      of: ENVIRONMENT,
    },
    { name: 'broker.unfenced', before: 'this.#ready.resolve();', of: ENVIRONMENT },
    { name: 'broker.stop.after-handover', before: 'this.#over.resolve(effect.granted);', of: ENVIRONMENT },
  ]),
  ...inFile('src/metadata/loader/loader.ts', [
    {
      name: 'metadata.publish.before',
      before: 'for (const publisher of [...this.#publishers]) this.#call(publisher, delta, image);',
      of: 'this.#options.logger',
    },
    {
      name: 'metadata.publish.after',
      after: 'for (const publisher of [...this.#publishers]) this.#call(publisher, delta, image);',
      of: 'this.#options.logger',
    },
  ]),
];
