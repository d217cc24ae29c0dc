/**
 * The first component of the process, and the last to stop: it holds the connection that poller and process registry share,
 * and nothing else starts before Redis answers and is one that tsq can run on. While Redis is away the connection keeps
 * trying, with back-off; a stop ends the waiting.
 */
import { type Component, type Logger, pause, TsqError, unavailable, whenReady } from '@tsq/core';
import { checkRedis } from '@tsq/worker';
import type { Redis } from 'ioredis';

export interface RedisGateOptions {
  /** Opened by `openConnection`; the gate closes it. */
  readonly redis: Redis;
  /** For messages: without the password. */
  readonly shownUrl: string;
  /** `short`: reject when Redis has not answered within `firstAnswerMs`; `endless`: wait as long as it takes. */
  readonly patience: 'short' | 'endless';
  readonly logger: Logger;
  /** Default 5000. */
  readonly firstAnswerMs?: number;
}

/** Between two checks. */
const retryPauseMs = 1_000;

export class RedisGate implements Component {
  readonly name = 'redis gate';
  private started: Promise<void> | undefined;
  private readonly stopping = new AbortController();
  private isRefusalNoted = false;

  constructor(private readonly options: RedisGateOptions) {}

  /** @throws TSQ_REDIS_UNAVAILABLE when patience is short, at once when the login is refused; TSQ_REDIS_UNSUITABLE */
  start(): Promise<void> {
    if (this.stopping.signal.aborted) return Promise.reject(stoppedError());
    this.started ??= this.pass();
    return this.started;
  }

  async quiet(): Promise<void> {
    // It takes no work.
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.options.redis.disconnect();
    await this.started?.catch((error: unknown) => {
      // Whoever called start hears of it.
      this.options.logger.debug({ err: error }, 'the start was ended by the stop');
    });
  }

  private async pass(): Promise<void> {
    const { redis } = this.options;
    try {
      await this.admitted();
    } catch (error) {
      redis.disconnect();
      throw this.stopping.signal.aborted ? stoppedError() : error;
    }
  }

  /** With endless patience only a Redis that will never do, and a stop, end it: one that stalls may come back. */
  private async admitted(): Promise<void> {
    const { redis, logger, patience } = this.options;
    const { signal } = this.stopping;
    for (;;) {
      try {
        return await this.check();
      } catch (error) {
        const isFinal = error instanceof TsqError && error.code === 'TSQ_REDIS_UNSUITABLE';
        // A connection that ended was closed on purpose, and never comes back.
        if (patience === 'short' || isFinal || signal.aborted || redis.status === 'end') throw error;
        logger.warn({ err: error }, 'Redis could not be checked; trying again until it answers');
        await pause(retryPauseMs, signal);
      }
    }
  }

  private async check(): Promise<void> {
    const { redis, logger } = this.options;
    const over = new AbortController();
    try {
      await Promise.race([this.answers(), this.untilStopped(over.signal)]);
    } finally {
      over.abort();
    }
    await checkRedis(redis, logger);
    await refuseCluster(redis);
  }

  /** Rejects. A connection that is closed between two tries says nothing, so `whenReady` alone would not end. */
  private untilStopped(over: AbortSignal): Promise<never> {
    const { signal } = this.stopping;
    return new Promise((_resolve, reject) => {
      if (signal.aborted) reject(stoppedError());
      signal.addEventListener('abort', () => reject(stoppedError()), { once: true, signal: over });
    });
  }

  /** The connection itself says, once, that Redis is away; when patience is over its last error says why. */
  private async answers(): Promise<void> {
    const { redis, patience, shownUrl, firstAnswerMs = 5_000 } = this.options;
    let why: Error | undefined;
    const over = new AbortController();
    const onError = (error: Error) => {
      why = error;
      if (isRefusedLogin(error)) this.noteRefusedLogin(error, over);
    };
    redis.on('error', onError);
    try {
      if (patience === 'endless') return await whenReady(redis);
      await Promise.race([whenReady(redis, firstAnswerMs), untilAborted(over.signal)]);
    } catch (error) {
      if (over.signal.aborted) throw over.signal.reason;
      throw unavailable(`${shownUrl} gave no connection within ${firstAnswerMs} ms`, why ?? error);
    } finally {
      redis.off('error', onError);
    }
  }

  /** Waiting will not help, so the short patience is over; the long one is for the operator who mends the server's side. */
  private noteRefusedLogin({ message }: Error, over: AbortController): void {
    const { logger, patience, shownUrl } = this.options;
    const what = `${shownUrl} refuses the login (${message}). Correct the user and the password of the URL`;
    if (patience === 'short') over.abort(new TsqError('TSQ_REDIS_UNAVAILABLE', `Redis: ${what}`));
    else if (!this.isRefusalNoted)
      logger.error({}, `Redis: ${what}, or on the server; trying on until it is accepted`);
    this.isRefusalNoted = true;
  }
}

/** Redis asks for a login, or knows no such user with this password. */
function isRefusedLogin({ message }: Error): boolean {
  return /^(NOAUTH|WRONGPASS)\b/.test(message);
}

/** Rejects with the signal's reason. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** @throws TSQ_REDIS_UNSUITABLE */
async function refuseCluster(redis: Redis): Promise<void> {
  if (!(await redis.info('cluster')).includes('cluster_enabled:1')) return;
  throw new TsqError(
    'TSQ_REDIS_UNSUITABLE',
    'Redis: expected a single server (with or without sentinels), got a cluster, where no script can span the keys of a job',
  );
}

function stoppedError(): TsqError {
  return new TsqError('TSQ_COMPONENT_STOPPED', 'the redis gate was stopped; make a new one');
}
