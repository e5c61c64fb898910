/** A replica, as leader and as follower, and what it asks of the controller. */
import { type FailurePoint, inFile } from '../failure-point.ts';

const TIMERS = 'this.#options.timers';
const ENVIRONMENT = 'this.#options.environment.timers';

export const REPLICA_POINTS: readonly FailurePoint[] = [
  ...inFile('src/broker/replica/partition.ts', [
    {
      name: 'replica.append.before-log',
      before: 'const appended = log.appendAsLeader(batch,',
      of: 'this.#host',
    },
    {
      name: 'replica.append.after-log',
      before: 'if (!appended.duplicate) {',
      of: 'this.#host',
    },
    { name: 'replica.commit.before', before: 'log.setHighWatermark(next);', of: 'this.#host' },
    {
      name: 'replica.commit.before-acks',
      before: 'this.#acks.handleHighWatermark();',
      of: 'this.#host',
    },
    {
      name: 'replica.commit.after-acks',
      after: 'this.#acks.handleHighWatermark();',
      of: 'this.#host',
    },
    {
      name: 'replica.lead.before-epoch',
      before: 'this.log.assignEpoch(this.state.leaderEpoch, this.log.logEndOffset);',
      of: 'this.#host',
    },
    {
      name: 'replica.lead.after-epoch',
      after: 'this.log.assignEpoch(this.state.leaderEpoch, this.log.logEndOffset);',
      of: 'this.#host',
    },
    {
      name: 'replica.follower.before-note',
      before: 'this.state.observeFollower(from.brokerId, report, this.log.logEndOffset, now);',
      of: 'this.#host',
    },
  ]),
  ...inFile('src/broker/replica/alter-partitions.ts', [
    {
      name: 'replica.isr.before-send',
      before: 'this.#options.send({ brokerId: this.#options.nodeId, brokerEpoch, partitions }).then(',
      of: TIMERS,
    },
    { name: 'replica.isr.before-answer', before: 'let mustRetry = false;', of: TIMERS },
    { name: 'replica.isr.after-answer', before: 'this.#next(mustRetry ? RETRY_MS : 0);', of: TIMERS },
  ]),
  ...inFile('src/broker/replica/directory-assignments.ts', [
    {
      name: 'replica.directory.before-send',
      before: 'this.#options.send({ brokerId: nodeId, brokerEpoch: brokerEpoch(), replicas: sent }).then(',
      of: TIMERS,
    },
  ]),
  ...inFile('src/broker/replica/leader-fetcher.ts', [
    {
      name: 'replica.fetch.before-send',
      before: 'const correlationId = this.#stream.send({ ack: false, partitions, forget },',
      of: ENVIRONMENT,
    },
    {
      name: 'replica.ack.before-send',
      before: 'this.#stream.send({ ack: true, partitions, forget: [] }, this.#frameDefaults());',
      of: ENVIRONMENT,
    },
    {
      name: 'replica.ack.after-send',
      after: 'this.#stream.send({ ack: true, partitions, forget: [] }, this.#frameDefaults());',
      of: ENVIRONMENT,
    },
  ]),
  ...inFile('src/broker/replica/leader-replies.ts', [
    {
      name: 'replica.follow.before-append',
      before: 'partition.log.appendAsFollower(part.batches, leaderEpoch);',
      of: ENVIRONMENT,
    },
    {
      name: 'replica.follow.after-append',
      after: 'partition.log.appendAsFollower(part.batches, leaderEpoch);',
      of: ENVIRONMENT,
    },
    { name: 'replica.follow.before-commit', before: 'partition.followLeader(part);', of: ENVIRONMENT },
  ]),
  ...inFile('src/broker/replica/follower-session.ts', [
    {
      name: 'replica.fetch-reply.before-send',
      before: 'if (this.#replies.send({ correlationId, partitions })) this.#continue();',
      of: 'this.#host.timers',
    },
  ]),
  ...inFile('src/broker/replica/replica-set.ts', [
    {
      name: 'replica.truncate.before',
      before: "if (isCurrent && cut.kind === 'truncate') await log.truncateTo(cut.offset);",
      of: ENVIRONMENT,
    },
    { name: 'replica.truncate.after', before: 'resolve();', of: ENVIRONMENT },
    {
      name: 'replica.delete.before-log',
      before: 'await this.#logs.delete(topic, topicId, id, topicDeleted);',
      of: ENVIRONMENT,
    },
    {
      name: 'replica.make.before-log',
      before: 'const log = await this.#logs.make(replica,',
      of: ENVIRONMENT,
    },
    {
      name: 'replica.make.after-log',
      before: 'if (!this.#closed) this.#host(log, this.#wanted.find(topicId, partition) ?? replica);',
      of: ENVIRONMENT,
    },
  ]),
];
