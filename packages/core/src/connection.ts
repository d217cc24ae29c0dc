/**
 * Opens connections to Redis the one way that tsq may: nothing is ever resent. The client library would by default run a
 * command again whose reply was lost, and a claim would run twice. So a command is sent only on a connection that is
 * ready, once, and its caller hears of every doubt.
 */
import { types } from 'node:util';
import { Redis, type RedisOptions } from 'ioredis';
import { TsqError } from './errors.js';
import { type Logger, silentLogger } from './logger.js';

/** Where Redis is. Plain data: it is handed to threads. */
export interface RedisLocation {
  /** `redis://[user:password@]host:port/db`, `rediss://` for TLS, or `unix:///path`. */
  readonly url: string;
  /** More of ioredis' options (TLS, sentinels, ...), as far as they can be cloned into a thread. */
  readonly options?: RedisOptions;
}

export interface ConnectionOptions {
  /** Shown by CLIENT LIST. */
  readonly name: string;
  /** A command without an answer for so long rejects, and the connection is made anew. Default 5000; 0 for blocking ones. */
  readonly commandTimeoutMs?: number;
  readonly logger?: Logger;
}

const longestPauseMs = 2_000;

/** Connects in the background and keeps trying; wait with `whenReady`. Close it with `disconnect()`. */
export function openConnection(location: RedisLocation, options: ConnectionOptions): Redis {
  const timeoutMs = options.commandTimeoutMs ?? 5_000;
  const settings = {
    ...location.options,
    replyMapping: 'legacy' as const,
    connectionName: options.name,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    autoResendUnfulfilledCommands: false,
    // A replica answers so after a failover: nothing was executed, and the address may lead to the new master by now.
    // `true` makes the connection anew without sending the command again.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    retryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), longestPauseMs),
    // The first rejects the command; the second drops a connection on which nothing comes any more.
    ...(timeoutMs > 0 ? { commandTimeout: timeoutMs, socketTimeout: timeoutMs } : {}),
  };
  const redis = new Connection(location.url, settings);
  reportChanges(redis, options.name, options.logger ?? silentLogger);
  return redis;
}

class Connection extends Redis {
  /** ioredis, told to close between two tries to connect, tries no more but says nothing: who waits would wait for ever. */
  override disconnect(reconnect = false): void {
    const isBetweenTries = this.status === 'reconnecting';
    super.disconnect(reconnect);
    if (reconnect || !isBetweenTries) return;
    this.status = 'end';
    this.emit('end');
  }
}

/**
 * Resolves once commands can be sent.
 * @param deadlineMs without one it waits as long as it takes
 * @throws TSQ_REDIS_UNAVAILABLE after `deadlineMs`: nothing was sent; or when the connection was closed for good.
 */
export async function whenReady(redis: Redis, deadlineMs?: number): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const settle = (then: () => void) => {
      clearTimeout(timer);
      redis.off('ready', onReady);
      redis.off('end', onEnd);
      then();
    };
    const onReady = () => settle(resolve);
    const onEnd = () => settle(() => reject(unavailable('the connection was closed')));
    const giveUp = () => settle(() => reject(unavailable(`no connection within ${deadlineMs} ms`)));
    const timer = deadlineMs === undefined ? undefined : setTimeout(giveUp, deadlineMs);
    redis.once('ready', onReady);
    redis.once('end', onEnd);
    if (redis.status === 'end') onEnd();
  });
}

/** Wraps what a connection threw. `what` is the sentence's beginning: `LPUSH queue:x`. */
export function unavailable(what: string, cause?: unknown): TsqError {
  withoutSecrets(cause);
  const why = types.isNativeError(cause) ? ` (${cause.message})` : '';
  return new TsqError(
    'TSQ_REDIS_UNAVAILABLE',
    `Redis is not available: ${what}${why}. Check that the server runs and that its address is right`,
    { cause },
  );
}

/** One line when a connection is lost and one when it is back, not one for each try. */
function reportChanges(redis: Redis, name: string, logger: Logger): void {
  let away = false;
  redis.on('error', (error: Error) => {
    withoutSecrets(error);
    // The client library would go on, on database 0: another application's.
    if (error.message.includes('DB index is out of range')) redis.disconnect();
    if (away) return;
    away = true;
    logger.warn({ connection: name, err: error }, 'Redis is away; trying again until it is back');
  });
  redis.on('ready', () => {
    if (away) logger.info({ connection: name }, 'Redis is back');
    away = false;
  });
}

/** An error of a refused login carries the command, and with it the password. */
function withoutSecrets(error: unknown): void {
  if (typeof error === 'object' && error !== null) Reflect.deleteProperty(error, 'command');
}
