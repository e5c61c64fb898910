/** A broken promise of our own code. Never caught to go on: log, flush, exit; in simulation fail with the seed. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/**
 * Throws {@link AssertionError} when `condition` is false. Stays on in production.
 * `numbers` is rendered into the message, so that a report shows what was compared.
 */
export function assert(
  condition: unknown,
  message: string,
  numbers?: Readonly<Record<string, unknown>>,
): asserts condition {
  if (condition) return;
  throw new AssertionError(numbers === undefined ? message : `${message}: ${JSON.stringify(numbers)}`);
}

/** For the default branch of an exhaustive switch: unreachable by type, loud by assertion. */
export function assertNever(value: never): never {
  throw new AssertionError(`unexpected variant: ${JSON.stringify(value)}`);
}
