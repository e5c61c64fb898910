/** The active controller, from a request to its reply. */
import { type FailurePoint, inFile } from '../failure-point.ts';

const ENVIRONMENT = 'this.#options.environment.timers';
const SURROUNDINGS = 'this.#surroundings.environment.timers';

export const CONTROLLER_POINTS: readonly FailurePoint[] = [
  ...inFile('src/metadata/node/controller-machine.ts', [
    {
      name: 'controller.request.before-decision',
      before: 'this.#guard(() => start(event));',
      of: SURROUNDINGS,
    },
    {
      name: 'controller.request.after-append',
      after: 'this.#guard(() => start(event));',
      of: SURROUNDINGS,
    },
    {
      name: 'controller.commit.before-replay',
      before: 'this.#guard(() => this.#machine.commit(entries, this.#nowMs()));',
      of: SURROUNDINGS,
    },
    {
      name: 'controller.commit.after-replay',
      after: 'this.#guard(() => this.#machine.commit(entries, this.#nowMs()));',
      of: SURROUNDINGS,
    },
    { name: 'controller.commit.before-reply', before: 'committed?.(done);', of: SURROUNDINGS },
    { name: 'controller.commit.after-reply', after: 'resolve(done);', of: SURROUNDINGS },
  ]),
  ...inFile('src/metadata/node/controller-node.ts', [
    {
      name: 'controller.activate.before-append',
      before: 'this.#machine.lead(epoch, decideActivate).then(',
      of: ENVIRONMENT,
    },
    {
      name: 'controller.activate.after-append',
      before: 'this.#scheduleIdle();\n  }\n\n  handleNotLeading',
      of: ENVIRONMENT,
    },
    {
      name: 'controller.barrier.before-reply',
      after: 'await this.#barrier.wait(offset, Math.max(0, deadlineMs - this.#nowMs()));',
      of: ENVIRONMENT,
    },
  ]),
  ...inFile('src/metadata/node/session-keeper.ts', [
    {
      name: 'controller.heartbeat.before-reply',
      before: 'const { to, isCaughtUp } = reply;',
      of: ENVIRONMENT,
    },
    {
      name: 'controller.fence.before-append',
      before: 'const { reply: isFenced } = await machine.submit(',
      of: ENVIRONMENT,
    },
    {
      name: 'controller.fence.after-commit',
      before: 'if (isFenced) log.warn(',
      of: ENVIRONMENT,
    },
  ]),
];
