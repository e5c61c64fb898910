/**
 * A record that cannot follow the image it is replayed onto: a change of what is not there, an epoch that does not fit.
 * Either our code is wrong or the log is not ours; fatal on a controller, counted and skipped on a broker.
 */
export class ReplayError extends Error {
  override readonly name = 'ReplayError';
}
