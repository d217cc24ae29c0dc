/** What an error of a command means for who sent it. */
import { endsConnection } from '@tsq/core';
import { ReplyError } from 'ioredis';

/** Redis itself said no, and our scripts check before they write: nothing was written. After any other error that is open. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof ReplyError;
}

/**
 * Redis serves commands: it took this one, or refused it for itself. One that is busy, loads or is a replica answers too, and
 * serves nobody; heartbeats run out meanwhile as they do while it is away.
 */
export function servesCommands(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(servesCommands);
  return isRefusal(error) && !endsConnection(error);
}

/** A call without an answer hangs on a dead connection, and a replica refuses to write: another connection may do better. */
export function wantsNewConnection(error: unknown): boolean {
  return error instanceof Error && /^(Command timed out|READONLY)/.test(error.message);
}
