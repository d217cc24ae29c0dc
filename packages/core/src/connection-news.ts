/**
 * What becomes of one connection, told to whoever speaks for the whole process (outages.ts). News is plain data: the
 * heartbeat's connection lives in a thread.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { type ConnectionRefusal, reasonOf, refusalOf } from './connection-refusal.js';

export interface ConnectionTrouble {
  readonly kind: 'trouble';
  /** Of this connection, whatever its name: a process may have several of one name. */
  readonly id: string;
  readonly connection: string;
  /** undefined: Redis is just away. */
  readonly refusal: ConnectionRefusal | undefined;
  readonly reason: string;
}

export type ConnectionNews =
  | ConnectionTrouble
  /** Commands can be sent. `ended`: it was closed on purpose, and nobody waits for it. */
  | { readonly kind: 'ready' | 'ended'; readonly id: string; readonly connection: string };

export type ConnectionReporter = (news: ConnectionNews) => void;

/** Without an error, a connection that is made anew within so long is no news: an idle one was closed, or a replica left. */
const blinkMs = 3_000;

/** A line for each change, none for each try: of a trouble only the first of its kind is told. */
export function tellOf(redis: Redis, connection: string, report: ConnectionReporter): void {
  const id = randomUUID();
  let told: string | undefined;
  let blink: NodeJS.Timeout | undefined;
  const trouble = (refusal: ConnectionRefusal | undefined, reason: string) => {
    const kind = refusal?.what ?? 'away';
    // What follows a refusal (the closing of the connection) is no news.
    if (told === kind || (told !== undefined && refusal === undefined)) return;
    told = kind;
    report({ kind: 'trouble', id, connection, refusal, reason });
  };
  const waitForReady = () => {
    if (redis.status === 'end') return;
    clearTimeout(blink);
    blink = setTimeout(() => trouble(undefined, whyNotReady(redis)), blinkMs).unref();
  };
  const over = (kind: 'ready' | 'ended') => {
    clearTimeout(blink);
    told = undefined;
    report({ kind, id, connection });
  };
  redis.on('error', (error: Error) => trouble(refusalOf(error), reasonOf(error)));
  redis.on('close', waitForReady);
  redis.on('ready', () => over('ready'));
  redis.on('end', () => over('ended'));
  waitForReady();
}

/** Nothing failed, and yet no command can be sent. */
function whyNotReady(redis: Redis): string {
  return redis.status === 'connect'
    ? 'it took the connection, and is not ready yet: it loads its data, or does not answer'
    : 'there is no connection yet';
}
