/** Sources of iterations whose cursor needs no thought. Any generator that yields `[item, cursor]` is one too. */
import type { JsonValue } from '@tsq/core';
import type { IterationStep } from './iterable-worker.js';

/** Each item of an array that is the same in every run; the cursor is its index, as of Ruby's `array_enumerator`. */
export function* arrayEnumerator<Item>(
  items: readonly Item[],
  cursor: number | undefined,
): Generator<IterationStep<Item, number>, void, undefined> {
  for (let index = cursor ?? 0; index < items.length; index += 1) yield [items[index] as Item, index];
}

export interface IterationPage<Item, Cursor extends JsonValue> {
  readonly items: readonly Item[];
  /** Where the next page begins; undefined, or null: this is the last one. */
  readonly next?: Cursor | null | undefined;
}

/**
 * Each page of an API or a table as one item; the cursor is what the page is asked for with. Pages without items are passed
 * over.
 * @param fetchPage the page that begins at `cursor`; undefined: the first
 */
export async function* pageEnumerator<Item, Cursor extends JsonValue>(
  fetchPage: (
    cursor: Cursor | undefined,
  ) => IterationPage<Item, Cursor> | Promise<IterationPage<Item, Cursor>>,
  cursor: Cursor | undefined,
): AsyncGenerator<IterationStep<readonly Item[], Cursor | null>, void, undefined> {
  let at = cursor;
  for (;;) {
    const { items, next } = await fetchPage(at);
    if (items.length > 0) yield [items, at ?? null];
    if (next === undefined || next === null) return;
    at = next;
  }
}
