/** A copy that shares nothing. (`slice` of a Buffer is a view: two nodes of a simulation would share memory.) */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
