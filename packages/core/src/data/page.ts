/** Pages of a list on a screen: by number, not by cursor. */

export interface PageOptions {
  /** From 1 on, which is the default. */
  readonly number?: number;
  /** Entries on one page. Default 25. */
  readonly pageSize?: number;
}

/** Positions of the first and the last entry of the page, both included. What is less than 1 counts as 1. */
export function pageBounds({ number = 1, pageSize = 25 }: PageOptions): {
  readonly first: number;
  readonly last: number;
} {
  const size = Math.max(1, Math.trunc(pageSize) || 1);
  const first = (Math.max(1, Math.trunc(number) || 1) - 1) * size;
  return { first, last: first + size - 1 };
}
