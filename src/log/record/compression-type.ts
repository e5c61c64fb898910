/** Codecs of a batch, in the order of their numbers in the attributes. */
export const COMPRESSION_TYPES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

export type CompressionType = (typeof COMPRESSION_TYPES)[number];

/** The codec with this number, or undefined: 5 to 7 are not defined. */
export function compressionOf(code: number): CompressionType | undefined {
  return COMPRESSION_TYPES[code];
}

export function compressionCode(type: CompressionType): number {
  return COMPRESSION_TYPES.indexOf(type);
}
