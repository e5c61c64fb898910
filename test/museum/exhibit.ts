/**
 * A bug that could come back: a textual patch of the sources, and who must notice it.
 *
 * Production code knows nothing of it. `find` occurs exactly once in `file`; when it does not any more, the exhibit has
 * rotted and the museum fails until somebody has looked at what the line became.
 */

export interface Edit {
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** `sim`: the whole cluster; `sim:raft`: the quorum alone; else a file of the unit suite. */
export type Killer = 'sim' | 'sim:raft' | { readonly test: string };

/** Options of the whole cluster that make the fault likely. Tried only after the seeds of the default run. */
export interface Preset {
  readonly why: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface Exhibit {
  readonly title: string;
  /** Where the bug was met first, publicly. */
  readonly source: string;
  readonly edits: readonly Edit[];
  readonly killedBy: Killer;
  /** A simulation gets so many seeds, and with a preset as many again. */
  readonly seedsMax: number;
  readonly preset?: Preset;
  /** What must be caught in every run: when it is not, the museum itself is broken. */
  readonly isCanary?: true;
  /** Why the harness does not see it, when that is known. */
  readonly unseen?: string;
}

export interface NamedExhibit extends Exhibit {
  /** Of its file. */
  readonly name: string;
}
