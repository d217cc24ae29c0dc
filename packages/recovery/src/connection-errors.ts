/** What an error of a command means for who sent it. */
import { ReplyError } from 'ioredis';

/** Redis itself said no, and our scripts check before they write: nothing was written. After any other error that is open. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof ReplyError;
}

/** A call without an answer hangs on a dead connection, and a replica refuses to write: another connection may do better. */
export function wantsNewConnection(error: unknown): boolean {
  return error instanceof Error && /^(Command timed out|READONLY)/.test(error.message);
}
