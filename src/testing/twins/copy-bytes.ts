/** A copy: nobody else changes it. (`slice` of a Buffer is a view: two nodes of a simulation would share memory.) */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes);
}
