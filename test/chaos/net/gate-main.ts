/** A process with gates; its plan is the only argument, orders come over the channel to its parent. */
import process from 'node:process';
import { SeededRandom } from '../../../src/base/index.ts';
import { Gate } from './gate.ts';
import type { GateOrder, GateProcessPlan } from './gates.ts';

const plan: GateProcessPlan = JSON.parse(process.argv[2] ?? '');
const gates = await Promise.all(
  plan.gates.map(async ({ node, listener, listen, upstream }) => {
    const random = new SeededRandom(plan.seed, `gate-${node}-${listener}`);
    const gate = new Gate(upstream, (address) => plan.sources[address] ?? 'client', random);
    await gate.listen(listen);
    return { node, listener, gate };
  }),
);
process.on('message', ({ id, order }: { id: number; order: GateOrder }) => {
  process.send?.({ id, count: carryOut(order) });
});
process.on('disconnect', () => process.exit());
process.send?.({ id: 0, count: gates.length });

function carryOut(order: GateOrder): number {
  let count = 0;
  for (const { node, listener, gate } of gates) {
    if (order.kind === 'sweep') gate.sweep();
    else if (order.kind === 'disarm') gate.disarm();
    else if (order.kind === 'count-flips') count += gate.flips;
    else if (order.node === node && (order.listener ?? listener) === listener) {
      if (order.kind === 'rule') gate.set(order.rule, order.source);
      else count += gate.strike(order.strike, order.source);
    }
  }
  return count;
}
