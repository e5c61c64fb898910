import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a new follower cuts its log to its own high watermark',
  source: 'KIP-101; KafkaTruncateToHighWatermark.tla',
  edits: [
    {
      file: 'src/broker/replica/replica-set.ts',
      find: `    } else if (partition.becomeFollower(registration) && partition.log.failure === undefined)
      fetchers.follow(partition);`,
      replace: `    } else if (partition.becomeFollower(registration) && partition.log.failure === undefined) {
      const { log, state } = partition;
      const cut: Cut = { kind: 'truncate', offset: log.highWatermark };
      this.truncate(partition, state.leaderEpoch, cut).then(
        () => {
          if (!state.isLeader && state.leaderEpoch === registration.leaderEpoch) fetchers.follow(partition);
        },
        () => {},
      );
    }`,
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};
