/**
 * Holds a job's args to its worker's schema: at enqueue, so that a mistake shows where it is made, and again before
 * `perform`, for other producers know nothing of the schema.
 */
import { inspect } from 'node:util';
import type { ZodType } from 'zod';
import { TsqError } from './errors.js';

type ArgsSchema = ZodType<readonly unknown[], readonly unknown[]>;

/**
 * @returns what the schema made of them: what `perform` gets. On the wire go the args as given.
 * @throws TSQ_ARGS_REJECTED: `args[1] of ResizeImage: expected number, got '640'`; TSQ_WORKER_INVALID when the schema throws
 */
export function parseArgs(worker: string, schema: ArgsSchema, args: readonly unknown[]): readonly unknown[] {
  const parsed = safeParse(worker, schema, args);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const expected = 'expected' in issue ? `expected ${String(issue.expected)}` : issue.message;
    return `args${pathText(issue.path)} of ${worker}: ${expected}, got ${show(valueAt(args, issue.path))}`;
  });
  throw new TsqError('TSQ_ARGS_REJECTED', lines.join('; '), { cause: parsed.error });
}

function safeParse(worker: string, schema: ArgsSchema, args: readonly unknown[]) {
  try {
    return schema.safeParse(args);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TsqError(
      'TSQ_WORKER_INVALID',
      `the args schema of ${worker} threw instead of answering: ${why}. A schema must be synchronous`,
      { cause: error },
    );
  }
}

function pathText(path: readonly PropertyKey[]): string {
  return path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    root,
  );
}

function show(value: unknown): string {
  return inspect(value, { depth: 1, breakLength: Infinity, maxStringLength: 80, maxArrayLength: 5 });
}
