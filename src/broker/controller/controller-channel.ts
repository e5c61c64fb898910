/**
 * Calls to the active controller, wherever it is: finds it, tries again while nobody leads, and ends within the deadline.
 *
 * What certainly had no effect is tried again (nobody led, the connection could not be made, NOT_CONTROLLER). When a call
 * broke half way, only a caller that can repeat itself harmlessly (`repeatable`) gets another try; the others hear an
 * indefinite error.
 */
import { ApiError, EnvironmentError, type NodeId } from '../../base/index.ts';
import { type Environment, sleep } from '../../env/index.ts';
import type { CallOptions, Connection, ControllerService } from '../../rpc/api/index.ts';
import { messageOf } from '../flow/outcome.ts';

const BACKOFF_MIN_MS = 20;
const BACKOFF_MAX_MS = 250;
/** One attempt of a repeatable call: a controller that lost its majority answers nothing, a new one may. */
const ATTEMPT_MAX_MS = 3_000;

export interface ControllerChannelOptions {
  readonly environment: Environment;
  /** Id of the active controller as the quorum says, -1: none known. */
  readonly controllerId: () => NodeId;
  readonly connect: (controller: NodeId) => Connection;
  /** Why nobody leads, in plain words; asked once a call has failed for good. */
  readonly trouble: () => Promise<string>;
}

export interface ControllerCall {
  readonly timeoutMs: number;
  readonly repeatable: boolean;
  readonly signal?: AbortSignal;
}

export class ControllerChannel {
  readonly #options: ControllerChannelOptions;

  constructor(options: ControllerChannelOptions) {
    this.#options = options;
  }

  /**
   * Throws the controller's ApiError; NOT_CONTROLLER with the reason when no active controller was reached in time;
   * REQUEST_TIMED_OUT or NETWORK_EXCEPTION when it was reached and its answer was lost.
   */
  async call<Reply>(
    invoke: (controller: ControllerService, call: CallOptions) => Promise<Reply>,
    call: ControllerCall,
  ): Promise<Reply> {
    const { clock, timers } = this.#options.environment;
    const deadlineMs = clock.monotonicMs() + call.timeoutMs;
    let backoffMs = BACKOFF_MIN_MS;
    for (;;) {
      const remainingMs = deadlineMs - clock.monotonicMs();
      if (remainingMs <= 0) throw await this.#nobody();
      const controllerId = this.#options.controllerId();
      if (controllerId >= 0) {
        try {
          const timeoutMs = call.repeatable ? Math.min(remainingMs, ATTEMPT_MAX_MS) : remainingMs;
          const connection = this.#options.connect(controllerId);
          return await invoke(connection.controller, { timeoutMs, ...signalOf(call.signal) });
        } catch (error) {
          const failure = await this.#judge(error, call.repeatable);
          if (failure !== undefined) throw failure;
        }
      }
      const pauseMs = Math.min(backoffMs, Math.max(1, deadlineMs - clock.monotonicMs()));
      await sleep(timers, pauseMs, call.signal);
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS);
    }
  }

  /** What to throw, or undefined to try again. */
  async #judge(error: unknown, repeatable: boolean): Promise<unknown> {
    if (error instanceof ApiError) return error.code === 'NOT_CONTROLLER' ? undefined : error;
    if (!(error instanceof EnvironmentError)) return error;
    if (repeatable || error.reason === 'unreachable') return undefined;
    const code = error.reason === 'deadline-exceeded' ? 'REQUEST_TIMED_OUT' : 'NETWORK_EXCEPTION';
    const why = await this.#trouble();
    return new ApiError(
      code,
      `the controller got the request but its answer did not come (${why}); look whether it took effect before trying again`,
    );
  }

  async #nobody(): Promise<ApiError> {
    return new ApiError('NOT_CONTROLLER', await this.#trouble());
  }

  async #trouble(): Promise<string> {
    try {
      return await this.#options.trouble();
    } catch (error) {
      return messageOf(error);
    }
  }
}

function signalOf(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
