/** What a pure decision says: nothing is changed by it, only by replaying its records. */
import { ApiError, type ErrorName } from '../base/index.ts';

export type Decision<Entry, Reply> =
  | {
      readonly kind: 'accepted';
      readonly records: readonly Entry[];
      readonly reply: Reply;
      /** True: the records take effect together or not at all. False: each of them makes sense alone. */
      readonly atomic: boolean;
    }
  | { readonly kind: 'refused'; readonly error: ApiError };

export function accept<Entry, Reply>(records: readonly Entry[], reply: Reply): Decision<Entry, Reply> {
  return { kind: 'accepted', records, reply, atomic: true };
}

/** Records that may be committed in several steps, in their order, so that there may be many of them. */
export function acceptEach<Entry, Reply>(records: readonly Entry[], reply: Reply): Decision<Entry, Reply> {
  return { kind: 'accepted', records, reply, atomic: false };
}

export function refuse(code: ErrorName, message?: string): { kind: 'refused'; error: ApiError } {
  return { kind: 'refused', error: new ApiError(code, message) };
}
