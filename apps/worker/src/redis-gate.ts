/**
 * The first component of the process, and the last to stop: it holds the connection that poller and process registry share,
 * and nothing else starts before Redis answers and is one that tsq can run on. While Redis is away the connection keeps
 * trying, with back-off; a stop ends the waiting.
 */
import {
  type Component,
  type ConnectionRefusal,
  type Logger,
  pause,
  refusalOf,
  Trouble,
  TsqError,
  unavailable,
  whenReady,
} from '@tsq/core';
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

  private readonly trouble: Trouble;

  constructor(private readonly options: RedisGateOptions) {
    this.trouble = new Trouble(options.logger, "Can't check Redis", 'warn');
  }

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
    const { redis, patience } = this.options;
    const { signal } = this.stopping;
    for (;;) {
      try {
        await this.check();
        this.trouble.over();
        return;
      } catch (error) {
        const isFinal = error instanceof TsqError && error.code === 'TSQ_REDIS_UNSUITABLE';
        // A connection that ended was closed on purpose, and never comes back.
        if (patience === 'short' || isFinal || signal.aborted || redis.status === 'end') throw error;
        this.trouble.met(error);
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

  /** The connection itself says, once, what is wrong; when patience is over its last error says why. */
  private async answers(): Promise<void> {
    const { redis, patience, shownUrl, firstAnswerMs = 5_000 } = this.options;
    if (patience === 'endless') return await whenReady(redis);
    const refused = new AbortController();
    const onError = (error: Error) => {
      const refusal = refusalOf(error);
      if (refusal !== undefined && refusal.lasts !== 'passes')
        refused.abort(refusedError(shownUrl, refusal, error));
    };
    redis.on('error', onError);
    try {
      await Promise.race([whenReady(redis, firstAnswerMs), untilAborted(refused.signal)]);
    } catch (error) {
      if (refused.signal.aborted) throw refused.signal.reason;
      const why = error instanceof Error ? error.cause : undefined;
      throw unavailable(`${shownUrl} gave no connection within ${firstAnswerMs} ms`, why ?? error);
    } finally {
      redis.off('error', onError);
    }
  }
}

/** It answers, and will not have us: waiting would not help. */
function refusedError(shownUrl: string, { what, advice }: ConnectionRefusal, error: Error): TsqError {
  return new TsqError('TSQ_REDIS_UNAVAILABLE', `${shownUrl}: ${what} (${error.message}). ${advice}`);
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
