/**
 * What a setting that was refused should have been, in the house's words: the one place that reads zod's issues. It is the
 * object of "expected", and names no value: that is told by who knows where it came from.
 */
import type { z } from 'zod';

const kinds: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'an integer',
  number: 'a number',
  object: 'settings',
  string: 'text',
};

/** `a number`, `1000 or less`, `one of debug, info, warn, error`. */
export function expectationOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      // config.ts may have written more than zod's own `Invalid input: …`.
      if (!issue.message.startsWith('Invalid input')) return issue.message;
      return kinds[issue.expected] ?? issue.expected;
    case 'too_small':
      return bound(issue.origin, issue.minimum, issue.inclusive === false ? 'more than' : 'or more');
    case 'too_big':
      return bound(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'or less');
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_key':
      return issue.issues.map(expectationOf).join(', ');
    default:
      return issue.message; // config.ts has written it
  }
}

function bound(origin: string, limit: number | bigint, word: string): string {
  const what = { array: ' entries', string: ' characters' }[origin] ?? '';
  return word.startsWith('or') ? `${limit} ${word}${what}` : `${word} ${limit}${what}`;
}
