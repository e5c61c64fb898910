/**
 * New nodes of arbitrary, also contradictory, configurations under a network that delays, loses and reorders. A machine is
 * a directory at an address: two may call themselves by one id, and each node has its own view which machine an id is.
 */
import { NONE, type NodeId, SeededRandom } from '../../../src/base/index.ts';
import type { HardState, QuorumAnswer, VoterKey } from '../../../src/raft/core/index.ts';
import { DEFAULT_QUORUM_TIMEOUTS } from '../../../src/raft/index.ts';
import { QuorumDriver } from '../../../src/raft/node/driver.ts';
import type { CallResult } from '../../../src/raft/node/ports.ts';
import { RecordingLogger, Scheduler, VirtualTimers } from '../../../src/testing/twins/index.ts';

export interface MachineConfig {
  readonly id: NodeId;
  /** Each configured id, and the index of the machine at its address. */
  readonly list: ReadonlyMap<NodeId, number>;
}

export interface Machine {
  config: MachineConfig;
  key: VoterKey;
  hardState: HardState;
  readonly logger: RecordingLogger;
  process: { readonly driver: QuorumDriver; readonly timers: VirtualTimers } | undefined;
}

const NEW: HardState = { epoch: 0, leaderId: NONE, voters: [] };

export class FoundingFixture {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly machines: Machine[] = [];
  /** Every voter set that was ever persisted, and by whom. */
  readonly born = new Map<string, { readonly voters: readonly VoterKey[]; readonly holders: Set<string> }>();
  /** Probability that a message is lost, or comes late. */
  trouble = 0;
  #disks = 0;

  constructor(seed: number, configs: readonly MachineConfig[]) {
    this.random = new SeededRandom(seed);
    this.scheduler = new Scheduler({ random: new SeededRandom(seed, 'schedule') });
    for (const config of configs) {
      const key = { id: config.id, directoryId: `disk-${++this.#disks}` };
      this.machines.push({ config, key, hardState: NEW, logger: new RecordingLogger(), process: undefined });
    }
  }

  start(machine: Machine): void {
    if (machine.process !== undefined) return;
    const timers = new VirtualTimers(this.scheduler);
    const { id, list } = machine.config;
    const isCurrent = (): boolean => machine.process?.timers === timers;
    const driver = new QuorumDriver(
      {
        self: machine.key,
        clusterId: 'given',
        seeksVote: true,
        configured: [...list.keys()],
        timeouts: DEFAULT_QUORUM_TIMEOUTS,
        hardState: machine.hardState,
        log: { endOffset: 0, epochs: [] },
        endpoints: new Map([...list.keys(), id].map((one) => [one, { host: `n${one}`, port: one }])),
      },
      {
        storage: {
          saveHardState: (state, done) =>
            this.#later(() => {
              if (!isCurrent()) return;
              machine.hardState = state;
              this.#note(machine.key, state.voters);
              done();
            }),
          // Elections are none of this fixture's business: nothing is ever confirmed.
          append: () => {},
          read: () => {},
        },
        calls: {
          call: (_to, _message, timeoutMs, done: (result: CallResult<QuorumAnswer>) => void) => {
            timers.after(timeoutMs, () => done({ kind: 'failed', disconnected: false }));
          },
          identify: (to, request, timeoutMs, done) => {
            let isOpen = true;
            const settle: typeof done = (result) => {
              if (isOpen && isCurrent()) done(result);
              isOpen = false;
            };
            timers.after(timeoutMs, () => settle({ kind: 'failed', disconnected: false }));
            this.#send(() => {
              const answer = this.machines[list.get(to) ?? -1]?.process?.driver.handleIdentify(request);
              this.#send(() =>
                settle(answer ? { kind: 'answer', answer } : { kind: 'failed', disconnected: true }),
              );
            });
          },
        },
        nowMs: () => this.scheduler.nowMs,
        timers,
        random: this.random,
        logger: machine.logger,
        exit: {
          fatal: (reason, error) => {
            throw new Error(`${reason}: ${String(error)}`);
          },
        },
      },
    );
    machine.process = { driver, timers };
    driver.start();
  }

  stop(machine: Machine): void {
    machine.process?.timers.stop();
    machine.process?.driver.close();
    machine.process = undefined;
  }

  /** Stops it; the next process finds an empty directory. */
  wipe(machine: Machine): void {
    this.stop(machine);
    machine.hardState = NEW;
    machine.key = { id: machine.config.id, directoryId: `disk-${++this.#disks}` };
  }

  async run(ms: number): Promise<void> {
    await this.scheduler.runUntil(() => false, ms);
  }

  /** The conflicts that a machine's log tells, in order. */
  conflicts(machine: Machine): string[] {
    return machine.logger.find('nodes disagree').map(({ fields }) => String(fields.detail));
  }

  #note(holder: VoterKey, voters: readonly VoterKey[]): void {
    const name = (key: VoterKey) => `${key.id}/${key.directoryId}`;
    const set = voters.map(name).toSorted().join(' ');
    const known = this.born.get(set) ?? { voters, holders: new Set<string>() };
    known.holders.add(name(holder));
    this.born.set(set, known);
  }

  #send(task: () => void): void {
    if (this.random.float() < this.trouble) return;
    this.#later(task);
  }

  #later(task: () => void): void {
    const isLate = this.random.float() < this.trouble;
    this.scheduler.after(this.random.float() * (isLate ? 3000 : 5), task);
  }
}
