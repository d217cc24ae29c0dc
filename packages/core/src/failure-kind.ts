/**
 * Of what kind a failure is that has to do with Redis. What is tried again and again is said once for each kind, and what
 * comes of a lost connection is said by the connection itself.
 */
import { refusalOf } from './connection-refusal.js';
import { TsqError } from './errors.js';

/**
 * `away`: no connection, or it was lost or given up (`endsConnection`); `timeout`: no answer in time; the first word of what Redis answered (`OOM`,
 * `READONLY`), also when a script of an older Redis met it; else the error's code or name.
 */
export function failureKind(error: unknown): string {
  const told = tellingOf(error);
  if (!(told instanceof Error)) return String(told);
  if (refusalOf(told) !== undefined) return 'away';
  if (told.name === 'ReplyError') return wordOf(told.message);
  if (told instanceof TsqError) return told.code === 'TSQ_REDIS_UNAVAILABLE' ? 'away' : told.code;
  if (told.message.startsWith('Command timed out')) return 'timeout';
  return isOfConnection(told) ? 'away' : told.name;
}

/** The error inside that says why. Errors may contain each other, even themselves: it looks no deeper than this. */
const deepest = 5;

function tellingOf(error: unknown): unknown {
  let told = error;
  for (let depth = 0; depth < deepest; depth += 1) {
    const inner = innerOf(told);
    if (inner === undefined || inner === told) return told;
    told = inner;
  }
  return told;
}

function innerOf(error: unknown): unknown {
  if (!(error instanceof Error) || refusalOf(error) !== undefined) return undefined;
  if (error instanceof AggregateError) return error.errors[0];
  if (error instanceof TsqError && error.code === 'TSQ_REDIS_UNAVAILABLE')
    return error.cause instanceof Error ? error.cause : undefined;
  return refusedInTransaction(error);
}

/** EXECABORT says that a command of the transaction was refused; what it was told stands beside it. */
function refusedInTransaction(error: Error): unknown {
  const before: unknown = 'previousErrors' in error ? error.previousErrors : undefined;
  return Array.isArray(before) ? before.find((each: unknown) => each !== error) : undefined;
}

/** Redis 6.2 wraps the error of a command in a script: `ERR Error running script (…): @user_script:7: -OOM command …`. */
function wordOf(message: string): string {
  const wrapped = /^ERR Error running script.*?-([A-Z]+) /.exec(message);
  return wrapped?.[1] ?? message.split(' ')[0] ?? '';
}

/** What Node says of a socket has a code; what the client library says has not, and is known by its words. */
function isOfConnection(error: Error): boolean {
  if ('code' in error && typeof error.code === 'string' && /^E(?!RR_)[A-Z_]+$/.test(error.code)) return true;
  return /^(Connection is closed|Stream isn't writeable|Command aborted due to connection close|Reached the max retries|Socket timeout|All sentinels are unreachable)/.test(
    error.message,
  );
}
