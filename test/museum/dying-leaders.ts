import type { Preset } from './exhibit.ts';

export const DYING_LEADERS: Preset = {
  why: 'leaders die and are cut off while records are under way',
  options: {
    brokers: 3,
    controllers: 3,
    thinkMs: 200,
    faultsMs: 90000,
    delayMeanMs: 4,
    diskMeanMs: 8,
    topics: [
      {
        name: 'topic-0',
        partitions: 3,
        replicationFactor: 3,
        configs: { 'min.insync.replicas': '1', 'segment.bytes': '65536', 'index.interval.bytes': '4096' },
      },
    ],
    producers: 3,
    faults: {
      kill: 4000,
      'power loss': 6000,
      pause: 6000,
      cut: 5000,
      'one-way cut': 6000,
      'slow disk': 6000,
    },
  },
};
