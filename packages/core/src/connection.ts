/**
 * Opens connections to Redis the one way that tsq may: nothing is ever resent. The client library would by default run a
 * command again whose reply was lost, and a claim would run twice. So a command is sent only on a connection that is
 * ready, once, and its caller hears of every doubt.
 */
import { types } from 'node:util';
import { Redis } from 'ioredis';
import { type ConnectionReporter, tellOf } from './connection-news.js';
import { endsConnection, reasonOf, refusalOf, weightier } from './connection-refusal.js';
import { TsqError } from './errors.js';
import { type Logger, silentLogger } from './logger.js';
import { Outages } from './outages.js';
import { primaryConnector } from './primary-connector.js';
import { checkLocation, type RedisLocation, sentinelOptions } from './redis-location.js';
import { keyTypesOf } from './wrong-type.js';

export interface ConnectionOptions {
  /** Shown by CLIENT LIST. */
  readonly name: string;
  /** A command without an answer for so long rejects, and the connection is made anew. Default 5000; 0 for blocking ones. */
  readonly commandTimeoutMs?: number;
  /** For a line when Redis goes away, and one when it is back. Not used beside `report`. */
  readonly logger?: Logger;
  /** Who speaks for all the connections of a process: `Outages.hear`. */
  readonly report?: ConnectionReporter | undefined;
}

const longestPauseMs = 2_000;
const timeoutLeewayMs = 50;

/**
 * Connects in the background, to a primary only, and keeps trying; wait with `whenReady`. Close it with `disconnect()`.
 * @throws TSQ_CONFIG_INVALID for a location that is none
 */
export function openConnection(location: RedisLocation, options: ConnectionOptions): Redis {
  checkLocation(location);
  const timeoutMs = options.commandTimeoutMs ?? 5_000;
  const onRefused = (error: Error) => redis.emit('error', error);
  const isBySentinel = location.sentinel !== undefined || location.options?.sentinels != null;
  const settings = {
    ...location.options,
    ...sentinelOptions(location, longestPauseMs),
    Connector: primaryConnector(isBySentinel, onRefused),
    replyMapping: 'legacy' as const,
    connectionName: options.name,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    // It is asked once a second whether it has loaded its data.
    maxLoadingRetryTime: 1_000,
    autoResendUnfulfilledCommands: false,
    // Redis answered that it executes nothing now. The connection is made anew, and takes commands when that is over; `true`
    // does so without sending the command again.
    reconnectOnError: (error: Error) => {
      if (!endsConnection(error)) return false;
      redis.emit('error', error);
      return true;
    },
    retryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), longestPauseMs),
    // The first drops a connection on which nothing comes any more, with all that waits on it; the second, a little later,
    // rejects a command that alone got no answer.
    ...(timeoutMs > 0 ? { socketTimeout: timeoutMs, commandTimeout: timeoutMs + timeoutLeewayMs } : {}),
  };
  const redis = new Connection(location.url, settings);
  // Whoever waits for Redis listens (each capsule, each call of a client): any number of them is in order.
  redis.setMaxListeners(0);
  tellOf(redis, options.name, options.report ?? new Outages(options.logger ?? silentLogger).hear);
  redis.on('error', (error: Error) => onError(redis, error));
  return redis;
}

class Connection extends Redis {
  override disconnect(reconnect = false): void {
    // Another one is being made already; ioredis would end it, and by sentinels for good.
    if (reconnect && this.status !== 'ready' && this.status !== 'connect') return;
    // Told to close between two tries, or while it asks sentinels, ioredis tries no more but says nothing, or says it late:
    // who waits would wait on.
    const isBetween = this.status === 'reconnecting' || (this.status === 'connecting' && this.stream == null);
    super.disconnect(reconnect);
    if (reconnect || !isBetween) return;
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

function onError(redis: Redis, error: Error): void {
  const isOfSelect = isErrorOfSelect(error);
  withoutSecrets(error);
  if (refusalOf(error)?.lasts === 'final') redis.disconnect();
  // The client library would go on, on database 0: another application's.
  else if (isOfSelect) redis.disconnect(true);
}

function isErrorOfSelect(error: object): boolean {
  const command: unknown = 'command' in error ? error.command : undefined;
  return typeof command === 'object' && command !== null && 'name' in command && command.name === 'select';
}

/** An error of a refused login carries the command, and with it the password. */
function withoutSecrets(error: unknown): void {
  if (typeof error === 'object' && error !== null) Reflect.deleteProperty(error, 'command');
}
