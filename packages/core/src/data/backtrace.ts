/**
 * `error_backtrace` as every Sidekiq wrote it: a JSON array of strings, deflated, in base64 (with line breaks up to 7.2.0);
 * very old ones are the array itself. What is none of these has no lines: a record must be shown whatever stands in it.
 */
import { inflateSync } from 'node:zlib';
import { parseJson } from '../exact-json.js';
import type { JsonValue } from '../json.js';

/** Lines of code do not come to that; a small text that unpacks to gigabytes does. */
const mostBytes = 16 * 1024 * 1024;

export function backtraceLines(value: JsonValue | undefined): readonly string[] | undefined {
  if (Array.isArray(value)) return value.filter((line) => typeof line === 'string');
  if (typeof value !== 'string') return undefined;
  try {
    const lines = parseJson(inflateSync(Buffer.from(value, 'base64'), { maxOutputLength: mostBytes }));
    return Array.isArray(lines) ? lines.filter((line) => typeof line === 'string') : undefined;
  } catch {
    return undefined; // not deflated, too long, or no JSON: there is nothing to show
  }
}
