/**
 * `cattr`: what Rails' CurrentAttributes held at the producer. Sidekiq up to 7 writes one object; 8 writes ActiveJob's form, a
 * list of [name, value] in which a name that was a symbol is an object of its own.
 */
import type { JsonValue } from '@tsq/core';

/** undefined for what is neither form. Without a prototype: a name may be `__proto__`. */
export function readCurrentAttributes(value: JsonValue | undefined): Record<string, JsonValue> | undefined {
  const pairs = Array.isArray(value) ? value.map(pairOf) : objectPairs(value);
  if (pairs === undefined) return undefined;
  const attributes: Record<string, JsonValue> = Object.create(null);
  for (const pair of pairs) if (pair !== undefined) attributes[pair[0]] = pair[1];
  return attributes;
}

type Pair = readonly [name: string, value: JsonValue];

function objectPairs(value: JsonValue | undefined): readonly Pair[] | undefined {
  return typeof value === 'object' && value !== null ? Object.entries(value) : undefined;
}

function pairOf(pair: JsonValue): Pair | undefined {
  if (!Array.isArray(pair) || pair.length !== 2) return undefined;
  const [key = null, value = null] = pair;
  const name = typeof key === 'string' ? key : symbolName(key);
  return name === undefined ? undefined : [name, value];
}

/** `{"_aj_serialized":"ActiveJob::Serializers::SymbolSerializer","value":"user_id"}` */
function symbolName(key: JsonValue): string | undefined {
  if (typeof key !== 'object' || key === null || !('value' in key)) return undefined;
  return typeof key.value === 'string' ? key.value : undefined;
}
