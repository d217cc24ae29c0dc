/** For JSON.stringify: what is not known is there, and null, so that a reader need not ask whether a field exists. */
export function orNull(_key: string, value: unknown): unknown {
  return value === undefined ? null : value;
}
