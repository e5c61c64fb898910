/** All faults of a simulation. */
import { directoryFails, diskError, fullDisk, newDisk, slowDisk } from './disk-faults.ts';
import { failurePoint } from './failure-point.ts';
import type { Fault } from './fault.ts';
import type { FaultKind } from './kinds.ts';
import {
  brokenConnection,
  cut,
  doubledCalls,
  lostMessages,
  oneWayCut,
  overtakingCalls,
} from './network-faults.ts';
import { clockJump, clockRate, crashLoop, kill, pause, powerLoss, rollingRestart } from './process-faults.ts';
import { turnedBit } from './rot-faults.ts';

export { isInSync, replaceDisk } from './disk-faults.ts';
export type { Fault, Trouble } from './fault.ts';
export { FAULT_KINDS, type FaultKind } from './kinds.ts';
export { oneOf } from './targets.ts';

/** By kind, so that a kind without a fault does not compile. */
export const FAULTS: Readonly<Record<FaultKind, Fault>> = {
  kill,
  'power loss': powerLoss,
  pause,
  'crash loop': crashLoop,
  'rolling restart': rollingRestart,
  'clock jump': clockJump,
  'slow disk': slowDisk,
  'full disk': fullDisk,
  'disk error': diskError,
  'new disk': newDisk,
  cut,
  'one-way cut': oneWayCut,
  'broken connection': brokenConnection,
  'lost messages': lostMessages,
  'overtaking calls': overtakingCalls,
  'doubled calls': doubledCalls,
  'failure point': failurePoint,
  'turned bit': turnedBit,
  'directory fails': directoryFails,
  'clock rate': clockRate,
};
