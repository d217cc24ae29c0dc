/** The values that a job's args can hold, exactly: what JSON and Ruby both carry, with BigInt for integers beyond 2^53. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };
