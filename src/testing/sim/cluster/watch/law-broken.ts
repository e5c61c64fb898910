/** A law of safety that does not hold. */
export class LawBroken extends Error {
  readonly law: string;

  constructor(law: string, facts: Readonly<Record<string, unknown>>) {
    super(`${law}: ${JSON.stringify(facts)}`);
    this.name = 'LawBroken';
    this.law = law;
  }
}
