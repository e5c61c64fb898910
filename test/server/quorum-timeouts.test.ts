import { describe, expect, it } from 'vitest';
import { nodeConfigFrom, valuesFromArguments } from '../../src/server/index.ts';
import { quorumTimeouts } from '../../src/server/parts.ts';

describe('the times of a quorum node', () => {
  it.each([
    [2000, 500],
    [1001, 250],
    [400, 100],
  ])('with a fetch timeout of %i ms park a fetch for %i ms, in whole milliseconds', (timeoutMs, parkedMs) => {
    const config = nodeConfigFrom(
      valuesFromArguments([
        'process.roles=controller',
        'node.id=101',
        'controller.quorum.voters=101@localhost:9093',
        'listeners=CONTROLLER://localhost:9093',
        'log.dirs=/data',
        `controller.quorum.fetch.timeout.ms=${timeoutMs}`,
      ]),
    );
    expect(quorumTimeouts(config).fetchMaxWaitMs).toBe(parkedMs);
  });
});
