/** A value in a few words for an error message: its type, and as much of it as fits into a line. */
import { inspect } from 'node:util';

const maxLength = 60;

export function describeValue(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value) : inspect(value);
  return `${typeof value} ${text.length > maxLength ? `${text.slice(0, maxLength)}…` : text}`;
}
