/**
 * Opens connections to Redis the one way that tsq may: nothing is ever resent. The client library would by default run a
 * command again whose reply was lost, and a claim would run twice. So a command is sent only on a connection that is
 * ready, once, and its caller hears of every doubt.
 */
import { types } from 'node:util';
import { Redis, type RedisOptions } from 'ioredis';
import { type ConnectionRefusal, reasonOf, refusalOf, weightier } from './connection-refusal.js';
import { describeValue } from './describe-value.js';
import { TsqError } from './errors.js';
import { type Logger, silentLogger } from './logger.js';
import { isRedisUrl, redisUrlRule, withoutPassword } from './redis-url.js';
import { keyTypesOf } from './wrong-type.js';

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

/**
 * Connects in the background and keeps trying; wait with `whenReady`. Close it with `disconnect()`.
 * @throws TSQ_CONFIG_INVALID for a URL that is none of Redis
 */
export function openConnection(location: RedisLocation, options: ConnectionOptions): Redis {
  checkLocation(location);
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

/** @throws TSQ_CONFIG_INVALID: `redis.url: expected …, got …`, without the password */
export function checkLocation({ url, options }: RedisLocation): void {
  if (typeof url !== 'string' || !isRedisUrl(url)) {
    const got = typeof url === 'string' && url !== '' ? withoutPassword(url) : describeValue(url);
    throw new TsqError('TSQ_CONFIG_INVALID', `Redis: url: expected ${redisUrlRule}, got ${got}`);
  }
  if (options === undefined || (typeof options === 'object' && options !== null && !Array.isArray(options))) {
    return;
  }
  const message = `Redis: options: expected an object with ioredis' options, got ${describeValue(options)}`;
  throw new TsqError('TSQ_CONFIG_INVALID', message);
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
 * @throws TSQ_REDIS_UNAVAILABLE after `deadlineMs`: nothing was sent; or when the connection was closed for good. Its
 * cause is the last error of the connection meanwhile.
 */
export async function whenReady(redis: Redis, deadlineMs?: number): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    let why: Error | undefined;
    const settle = (then: () => void) => {
      clearTimeout(timer);
      redis.off('error', onError);
      redis.off('ready', onReady);
      redis.off('end', onEnd);
      then();
    };
    const onError = (error: Error) => {
      why = weightier(why, error);
    };
    const onReady = () => settle(resolve);
    const onEnd = () => settle(() => reject(unavailable('the connection was closed', why)));
    const giveUp = () => settle(() => reject(unavailable(`no connection within ${deadlineMs} ms`, why)));
    const timer = deadlineMs === undefined ? undefined : setTimeout(giveUp, deadlineMs);
    redis.on('error', onError);
    redis.once('ready', onReady);
    redis.once('end', onEnd);
    if (redis.status === 'end') onEnd();
  });
}

/** Wraps what a connection threw. `what` is the sentence's beginning: `LPUSH queue:x`. */
export function unavailable(what: string, cause?: unknown): TsqError {
  withoutSecrets(cause);
  const why = types.isNativeError(cause) ? ` (${reasonOf(cause)})` : '';
  const refusal = refusalOf(cause);
  const headline = refusal?.what ?? 'Redis is not available';
  const advice = refusal?.advice ?? 'Check that the server runs and that its address is right';
  const error = new TsqError('TSQ_REDIS_UNAVAILABLE', `${headline}: ${what}${why}. ${advice}`, { cause });
  return Object.assign(error, keyTypesOf(cause));
}

/** A line when a connection is lost or refused, and one when it is back; not one for each try. */
function reportChanges(redis: Redis, name: string, logger: Logger): void {
  let reported: string | undefined;
  redis.on('error', (error: Error) => {
    withoutSecrets(error);
    const refusal = refusalOf(error);
    if (refusal?.isFinal) redis.disconnect();
    const trouble = troubleText(refusal);
    // What follows a refusal (the closing of the connection) is no news.
    if (reported === trouble || (reported !== undefined && refusal === undefined)) return;
    reported = trouble;
    // Without its stack: that is the client library's, and a process has half a dozen connections.
    logger.warn({ connection: name, reason: reasonOf(error) }, trouble);
  });
  redis.on('ready', () => {
    if (reported !== undefined) logger.info({ connection: name }, 'Redis is back');
    reported = undefined;
  });
}

function troubleText(refusal: ConnectionRefusal | undefined): string {
  if (refusal === undefined) return 'Redis is away; trying again until it is back';
  const { what, advice, isFinal } = refusal;
  return `${what}; ${isFinal ? 'this connection ends' : 'trying again until it does not'}. ${advice}`;
}

/** An error of a refused login carries the command, and with it the password. */
function withoutSecrets(error: unknown): void {
  if (typeof error === 'object' && error !== null) Reflect.deleteProperty(error, 'command');
}
