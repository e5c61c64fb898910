/** Names inside the directory of the metadata log. */
export const quorumPaths = (directory: string): QuorumPaths => ({
  state: `${directory}/quorum-state`,
  newState: `${directory}/quorum-state.new`,
  log: `${directory}/log`,
});

export interface QuorumPaths {
  /** The hard state: identity, epoch, vote, voters, tail floor. */
  readonly state: string;
  /** The hard state while formatting: its presence says that formatting did not finish. */
  readonly newState: string;
  /** LevelDB's own directory. */
  readonly log: string;
}
