/**
 * Holds a job's args to its worker's schema: at enqueue, so that a mistake shows where it is made, and again before
 * `perform`, for other producers know nothing of the schema. What does not fit is refused with the place, what was
 * expected there and what came.
 */
import type { ZodType } from 'zod';
import { describeValue } from './describe-value.js';
import { TsqError } from './errors.js';

type ArgsSchema = ZodType<readonly unknown[], readonly unknown[]>;

/** The part of a zod issue that is read. */
interface Issue {
  readonly message: string;
  readonly path: readonly PropertyKey[];
  readonly expected?: unknown;
}

/** A worker has one fault to mend at a time, but a caller who swapped two arguments wants to see both. */
const maxIssues = 3;

/**
 * @returns what the schema made of them: what `perform` gets. On the wire go the args as given.
 * @throws TSQ_ARGS_REJECTED: `ResizeImage: args[1]: expected number, got the string "640"`
 */
export function parseArgs(worker: string, schema: ArgsSchema, args: readonly unknown[]): readonly unknown[] {
  const parsed = parse(worker, schema, args);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const shown = issues.slice(0, maxIssues).map((issue) => describeIssue(issue, args));
  const more = issues.length > maxIssues ? `; and ${issues.length - maxIssues} more` : '';
  throw new TsqError('TSQ_ARGS_REJECTED', `${worker}: ${shown.join('; ')}${more}`);
}

/** A schema may hold code of its user's, which may throw, and checks that are asynchronous, which are not waited for. */
function parse(worker: string, schema: ArgsSchema, args: readonly unknown[]) {
  try {
    return schema.safeParse(args);
  } catch (error) {
    const reason = error instanceof Error ? error.message : describeValue(error);
    const message = `${worker}: the schema of its args failed (it must be synchronous): ${reason}`;
    throw new TsqError('TSQ_ARGS_REJECTED', message, { cause: error });
  }
}

function describeIssue(issue: Issue, args: readonly unknown[]): string {
  const expected = typeof issue.expected === 'string' ? `expected ${issue.expected}` : issue.message;
  return `${pathText(issue.path)}: ${expected}, got ${describeValue(valueAt(args, issue.path))}`;
}

function pathText(path: readonly PropertyKey[]): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`));
  return `args${steps.join('')}`;
}

function valueAt(args: readonly unknown[], path: readonly PropertyKey[]): unknown {
  let value: unknown = args;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}
