/** Reads one hash of counters, `CLASS|p`, `CLASS|f` and `CLASS|ms`, and passes over what is none. */

export interface Counts {
  /** Executions that ended, failures included. */
  readonly processed: number;
  readonly failed: number;
  /** Of those that did not fail, together. */
  readonly milliseconds: number;
}

export type CountsByClass = ReadonlyMap<string, Counts>;

const fieldNames: Readonly<Record<string, keyof Counts>> = {
  p: 'processed',
  f: 'failed',
  ms: 'milliseconds',
};

/** @param reply of HGETALL: field -> value */
export function countsOf(reply: unknown): CountsByClass {
  const counts = new Map<string, { -readonly [Name in keyof Counts]: number }>();
  if (typeof reply !== 'object' || reply === null) return counts;
  for (const [field, value] of Object.entries(reply)) {
    const bar = field.lastIndexOf('|');
    const what = fieldNames[field.slice(bar + 1)];
    if (bar < 0 || what === undefined) continue;
    const name = field.slice(0, bar);
    const own = counts.get(name) ?? { processed: 0, failed: 0, milliseconds: 0 };
    own[what] = numberOf(value);
    counts.set(name, own);
  }
  return counts;
}

/** @param reply of HMGET: p, f, ms */
export function classCounts(name: string, reply: unknown): CountsByClass {
  const [processed, failed, milliseconds] = Array.isArray(reply) ? reply.map(numberOf) : [];
  const counts = { processed: processed ?? 0, failed: failed ?? 0, milliseconds: milliseconds ?? 0 };
  return new Map([[name, counts]]);
}

function numberOf(value: unknown): number {
  const number = Number(value ?? 0);
  return Number.isFinite(number) ? number : 0;
}
