/**
 * Compares the replicas of a partition by what their stored batches come to, below what all of them have committed.
 *
 *   1. bounds: from the highest log start to the lowest high watermark
 *   2. piece by piece the digests of all replicas, each piece as long as one question allows
 *   3. in a piece that differs: halves, until the first offset that differs is alone
 *
 * Whoever differs from most is odd; without a majority nobody is, and all are told. A replica that cannot answer is
 * left out and named. Records that retention or DeleteRecords takes away meanwhile make it begin again.
 *
 * Not for compacted topics: each replica compacts by itself and when it likes, so sound ones differ byte by byte.
 */
import type { NodeId, Offset, PartitionId } from '../../base/index.ts';
import type { LogDigestReply, LogDigestRequest } from '../../rpc/api/index.ts';

/** Begins again at most so often when the log start moves. */
const ATTEMPTS_MAX = 5;

export interface ReplicaAnswer {
  readonly brokerId: NodeId;
  /** At the offset that differs, or of the last piece. */
  readonly digest: string;
  /** Batches in it. */
  readonly batches: number;
  /** As its files are named: `<topic>-<partition>/<base offset>.log`. */
  readonly segment: string;
}

export interface ReplicaProblem {
  readonly brokerId: NodeId;
  readonly error: string;
  readonly message: string;
}

export interface LogVerdict {
  readonly topic: string;
  readonly partition: PartitionId;
  /** equal: of all that answered. alone: fewer than two did, nothing could be compared. */
  readonly kind: 'equal' | 'differs' | 'alone';
  readonly fromOffset: Offset;
  /** Exclusive. With 'differs': where comparing ended. */
  readonly toOffset: Offset;
  /** Read and compared on each replica. */
  readonly bytes: number;
  /** The brokers that were compared. */
  readonly compared: readonly NodeId[];
  /** Those that could not answer, a damaged log for instance, and why. */
  readonly problems: readonly ReplicaProblem[];
  readonly difference?: Difference;
}

export interface Difference {
  /** The first batch that differs begins here, on the replicas that have it. */
  readonly offset: Offset;
  readonly replicas: readonly ReplicaAnswer[];
  /** Who differs from the majority; empty: there is none. */
  readonly odd: readonly NodeId[];
}

export interface VerifyPorts {
  /** What went wrong at that broker is in the reply; rejects when nobody can be asked at all. */
  readonly ask: (request: LogDigestRequest) => Promise<LogDigestReply>;
  /** Called with the bytes that are done on each replica. */
  readonly progress?: (bytes: number) => void;
}

/** `replicas` are asked at the same time, each one question at a time. */
export async function verifyLog(
  partition: {
    readonly topic: string;
    readonly partition: PartitionId;
    readonly replicas: readonly NodeId[];
  },
  ports: VerifyPorts,
): Promise<LogVerdict> {
  for (let attempt = 1; ; attempt++) {
    const comparison = new Comparison(partition, ports);
    const verdict = await comparison.run();
    if (!comparison.lostGround || attempt === ATTEMPTS_MAX) return verdict;
  }
}

class Comparison {
  readonly #partition: { readonly topic: string; readonly partition: PartitionId };
  readonly #ports: VerifyPorts;
  readonly #problems: ReplicaProblem[] = [];
  #replicas: readonly NodeId[];
  #bytes = 0;
  /** Records went away under the comparison. */
  lostGround = false;

  constructor(
    { topic, partition, replicas }: { topic: string; partition: PartitionId; replicas: readonly NodeId[] },
    ports: VerifyPorts,
  ) {
    this.#partition = { topic, partition };
    this.#ports = ports;
    this.#replicas = replicas.toSorted((a, b) => a - b);
  }

  async run(): Promise<LogVerdict> {
    const bounds = await this.#bounds();
    const fromOffset = Math.max(0, ...bounds.map(({ logStartOffset }) => logStartOffset));
    const end = Math.min(...bounds.map(({ highWatermark }) => highWatermark));
    const toOffset = Math.max(fromOffset, bounds.length === 0 ? fromOffset : end);
    let at = fromOffset;
    while (at < toOffset && this.#replicas.length > 1) {
      const answers = await this.#digests(at, toOffset);
      const nextOffset = answers[0]?.nextOffset ?? toOffset;
      if (answers.length > 1 && !allEqual(answers)) {
        const difference = await this.#bisect(at, nextOffset);
        // Someone fell silent, or was mended meanwhile: that is another comparison.
        if (difference === undefined) {
          this.lostGround = true;
          break;
        }
        return { ...this.#verdict('differs', fromOffset, nextOffset), difference };
      }
      this.#bytes += answers[0]?.bytes ?? 0;
      this.#ports.progress?.(this.#bytes);
      at = nextOffset;
    }
    return this.#verdict(this.#replicas.length > 1 ? 'equal' : 'alone', fromOffset, at);
  }

  #verdict(kind: LogVerdict['kind'], fromOffset: Offset, toOffset: Offset): LogVerdict {
    return {
      ...this.#partition,
      kind,
      fromOffset,
      toOffset,
      bytes: this.#bytes,
      compared: this.#replicas,
      problems: this.#problems,
    };
  }

  async #bounds(): Promise<readonly LogDigestReply[]> {
    return this.#askAll(this.#replicas, 0, 0);
  }

  /** Of the same stretch from `fromOffset` on, of all that answer. */
  async #digests(fromOffset: Offset, toOffset: Offset): Promise<readonly LogDigestReply[]> {
    let answers = await this.#askAll(this.#replicas, fromOffset, toOffset);
    for (;;) {
      const nextOffset = Math.min(toOffset, ...answers.map((answer) => answer.nextOffset));
      const longer = answers.filter((answer) => answer.nextOffset > nextOffset);
      if (longer.length === 0) return answers;
      const again = await this.#askAll(
        longer.map(({ brokerId }) => brokerId),
        fromOffset,
        nextOffset,
      );
      answers = [...answers.filter((answer) => !longer.includes(answer)), ...again];
    }
  }

  /** The first batch of a stretch that differs; undefined: it does so no more. */
  async #bisect(fromOffset: Offset, toOffset: Offset): Promise<Difference | undefined> {
    let [low, high] = [fromOffset, toOffset];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (allEqual(await this.#digests(low, middle))) low = middle;
      else high = middle;
    }
    const answers = await this.#digests(low, high);
    if (answers.length < 2 || allEqual(answers)) return undefined;
    const { topic, partition } = this.#partition;
    const replicas = answers.map(({ brokerId, digest, batches, segmentBaseOffset }) => ({
      brokerId,
      digest,
      batches,
      segment: `${topic}-${partition}/${String(segmentBaseOffset).padStart(20, '0')}.log`,
    }));
    return { offset: low, replicas: replicas.sort((a, b) => a.brokerId - b.brokerId), odd: oddOnes(answers) };
  }

  /** Who cannot answer is not asked again. */
  async #askAll(
    brokers: readonly NodeId[],
    fromOffset: Offset,
    toOffset: Offset,
  ): Promise<readonly LogDigestReply[]> {
    const range = { fromOffset, toOffset, maxBytes: 0 };
    const replies = await Promise.all(
      brokers.map((brokerId) => this.#ports.ask({ ...this.#partition, brokerId, ...range })),
    );
    const answers: LogDigestReply[] = [];
    for (const [i, reply] of replies.entries()) {
      const brokerId = brokers[i] ?? reply.brokerId;
      if (reply.error === 'NONE') {
        answers.push(reply);
        continue;
      }
      if (reply.error === 'OFFSET_OUT_OF_RANGE') this.lostGround = true;
      this.#replicas = this.#replicas.filter((id) => id !== brokerId);
      this.#problems.push({ brokerId, error: reply.error, message: reply.errorMessage ?? reply.error });
    }
    return answers;
  }
}

function allEqual(answers: readonly LogDigestReply[]): boolean {
  return new Set(answers.map(({ digest }) => digest)).size <= 1;
}

function oddOnes(answers: readonly LogDigestReply[]): readonly NodeId[] {
  const count = (digest: string): number => answers.filter((answer) => answer.digest === digest).length;
  const usual = answers.find(({ digest }) => count(digest) * 2 > answers.length)?.digest;
  if (usual === undefined) return [];
  return answers.flatMap(({ digest, brokerId }) => (digest === usual ? [] : [brokerId]));
}
