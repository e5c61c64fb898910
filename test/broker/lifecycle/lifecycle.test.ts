import { describe, expect, it } from 'vitest';
import { ApiError, EnvironmentError } from '../../../src/base/index.ts';
import { Lifecycle } from '../../../src/broker/lifecycle/lifecycle.ts';
import { deltaFromEmpty } from '../../../src/metadata/index.ts';
import type {
  BrokerHeartbeat,
  BrokerHeartbeatReply,
  Connection,
  RegisterBrokerRequest,
  Sink,
} from '../../../src/rpc/api/index.ts';
import { createTestEnvironment } from '../../../src/testing/twins/index.ts';
import { broker, CLUSTER_ID, imageOf } from '../fixture.ts';

/** An active controller: registers with epoch 1, unfences who asks, lets go who wants to. */
class ControllerTwin {
  readonly registrations: RegisterBrokerRequest[] = [];
  readonly heartbeats: BrokerHeartbeat[] = [];
  readonly sessions: Sink<BrokerHeartbeatReply>[] = [];
  refusal: Error | undefined;
  stale = false;

  connection(): Connection {
    const registerBroker = async (request: RegisterBrokerRequest) => {
      this.registrations.push(request);
      if (this.refusal !== undefined) throw this.refusal;
      this.stale = false;
      return { brokerEpoch: 1 };
    };
    const session = (replies: Sink<BrokerHeartbeatReply>): Sink<BrokerHeartbeat> => {
      this.sessions.push(replies);
      return {
        send: (heartbeat) => {
          this.heartbeats.push(heartbeat);
          replies.send(this.#reply(heartbeat));
          return true;
        },
        drained: () => Promise.resolve(),
        end() {},
      };
    };
    return { controller: { registerBroker, session } } as unknown as Connection;
  }

  #reply({ correlationId, wantFence, wantShutdown }: BrokerHeartbeat): BrokerHeartbeatReply {
    const state = { isCaughtUp: true, isFenced: wantFence || wantShutdown, shouldShutdown: wantShutdown };
    return { correlationId, error: this.stale ? 'STALE_BROKER_EPOCH' : 'NONE', ...state };
  }
}

function start(controller = new ControllerTwin()) {
  const environment = createTestEnvironment({ seed: 1 });
  const lifecycle = new Lifecycle({
    settings: {
      nodeId: 1,
      heartbeatIntervalMs: 2_000,
      registrationTimeoutMs: 60_000,
      controlledShutdownTimeoutMs: 5_000,
    },
    environment,
    registration: {
      clusterId: CLUSTER_ID,
      brokerId: 1,
      incarnationId: CLUSTER_ID,
      listeners: [],
      features: [],
      previousBrokerEpoch: -1,
    },
    logDirs: () => [],
    connect: () => controller.connection(),
    settled: () => Promise.resolve(),
  });
  lifecycle.start();
  const lead = (nodeId: number, epoch: number): void => lifecycle.controllerChanged({ nodeId, epoch });
  const publish = (): void => {
    const image = imageOf(broker(2), broker(1, { fenced: true }));
    lifecycle.publish(deltaFromEmpty(image), image);
  };
  return { environment, lifecycle, controller, lead, publish };
}

describe('lifecycle', () => {
  it('is ready after register, publish, settle and one heartbeat, without waiting for any timer', async () => {
    const { environment, lifecycle, controller, lead, publish } = start();
    lead(9, 4);
    publish();
    await environment.scheduler.finish(lifecycle.ready);
    expect(environment.clock.monotonicMs()).toBe(0);
    expect(controller.heartbeats.map(({ wantFence }) => wantFence)).toEqual([true, false]);
    expect(lifecycle.brokerEpoch).toBe(1);
  });

  it('goes on trying while no controller can be reached', async () => {
    const { environment, lifecycle, controller, lead, publish } = start();
    controller.refusal = new EnvironmentError('unreachable', 'test', 'nobody is there');
    lead(9, 4);
    publish();
    await environment.scheduler.run(5_000);
    expect(lifecycle.trouble).toBe('nobody is there');
    controller.refusal = undefined;
    await environment.scheduler.finish(lifecycle.ready, 1_000);
  });

  it('says why the cluster does not take it', async () => {
    const { environment, lifecycle, controller, lead } = start();
    controller.refusal = new ApiError('INCONSISTENT_CLUSTER_ID', 'this is cluster x');
    lead(9, 4);
    await expect(environment.scheduler.finish(lifecycle.ready)).rejects.toThrow(
      'the cluster does not take this broker: this is cluster x',
    );
  });

  it('registers again when the controller knows another epoch, and ends the process when a namesake stays', async () => {
    const { environment, lifecycle, controller, lead, publish } = start();
    lead(9, 4);
    publish();
    await environment.scheduler.finish(lifecycle.ready);
    controller.stale = true;
    await environment.scheduler.run(2_500);
    expect(controller.registrations).toHaveLength(2);
    expect(lifecycle.phase).toBe('running');
    controller.stale = true;
    controller.refusal = new ApiError('DUPLICATE_BROKER_REGISTRATION', 'another broker 1 is alive');
    await environment.scheduler.run(70_000);
    expect(environment.exit.ends[0]?.reason).toBe('fenced-for-ever');
  });

  it('opens its session again at once when the stream breaks', async () => {
    const { environment, lifecycle, controller, lead, publish } = start();
    lead(9, 4);
    publish();
    await environment.scheduler.finish(lifecycle.ready);
    controller.sessions[0]?.end(new Error('reset'));
    await environment.scheduler.run(0);
    expect(controller.sessions).toHaveLength(2);
    expect(controller.heartbeats.at(-1)).toMatchObject({ wantFence: false });
  });

  it('leaves when the controller lets it go, and then is silent', async () => {
    const { environment, lifecycle, controller, lead, publish } = start();
    lead(9, 4);
    publish();
    await environment.scheduler.finish(lifecycle.ready);
    expect(await environment.scheduler.finish(lifecycle.shutDown())).toBe(true);
    const said = controller.heartbeats.length;
    lifecycle.close();
    await environment.scheduler.run(10_000);
    expect(controller.heartbeats).toHaveLength(said);
  });

  it('that is closed before it was ready tells whoever waits', async () => {
    const { lifecycle } = start();
    lifecycle.close();
    await expect(lifecycle.ready).rejects.toThrow('closed before it was ready');
    expect(await lifecycle.shutDown()).toBe(false);
  });
});
