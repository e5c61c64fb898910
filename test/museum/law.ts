/** Which law a failed run broke, in the words of whoever holds the run to it. */
export function lawOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('law' in error && typeof error.law === 'string') return error.law;
  const { message, cause, name } = error;
  const found = /^the history shows ([^:]+):/.exec(message)?.[1];
  if (found !== undefined) return `history: ${found}`;
  if (message.startsWith('liveness: ')) return message.replace(/not within [\d.]+ ms: /, '');
  const ended = / ended itself: (.+)$/.exec(message)?.[1];
  if (ended !== undefined) return cause === undefined ? `ended: ${ended}` : `ended: ${lawOf(cause)}`;
  const [first = ''] = message.split(/[:{(\n]/);
  return `${name === 'Violation' || name === 'Error' ? '' : `${name}: `}${first.trim().slice(0, 90)}`;
}
