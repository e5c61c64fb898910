/** What can go wrong in a simulation, by name. Names appear in options, histories and reports. */
export const FAULT_KINDS = [
  'kill',
  'power loss',
  'pause',
  'crash loop',
  'rolling restart',
  'clock jump',
  'slow disk',
  'full disk',
  'disk error',
  'new disk',
  'cut',
  'one-way cut',
  'broken connection',
  'lost messages',
  'overtaking calls',
  'doubled calls',
  'failure point',
  'turned bit',
  'directory fails',
  'clock rate',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];
