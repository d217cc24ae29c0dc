/** The values that a job's args can hold, exactly: what JSON and Ruby both carry, with BigInt for integers beyond 2^53. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/**
 * T where it is JSON all the way down, `never` in the places where it is not. An argument is held to this when its type
 * has no index signature, as an `interface` has none. A method, a Date, a Map, a symbol and undefined fit nowhere.
 */
export type AsJson<T> = T extends JsonValue
  ? T
  : T extends object
    ? T extends (...args: never) => unknown
      ? never
      : { [K in keyof T]: AsJson<T[K]> }
    : never;
