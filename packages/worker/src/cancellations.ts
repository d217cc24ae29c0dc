/**
 * Looks once a second, while jobs run, whether somebody has cancelled one of them, and fires its AbortSignal. An idle process
 * asks nothing. A job that was cancelled while it waited is the Fetcher's business.
 */
import {
  type Component,
  cancelledOf,
  forgetCancellation,
  type Logger,
  silentLogger,
  Trouble,
  TsqError,
} from '@tsq/core';
import type { Redis } from 'ioredis';
import { Lifecycle } from './lifecycle.js';
import type { RunningJobs } from './running-jobs.js';

export interface CancellationsParts {
  readonly redis: Redis;
  readonly running: RunningJobs;
  readonly logger?: Logger;
}

export interface CancellationsSettings {
  /** Of the tracker's keys. Default `tsq`. */
  readonly namespace: string;
  /** Between two looks. Default 1000. */
  readonly intervalMs: number;
}

export class Cancellations implements Component {
  readonly name = 'cancellations';
  private readonly settings: CancellationsSettings;
  private readonly lifecycle: Lifecycle;
  private readonly trouble: Trouble;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private signalled = 0;

  constructor(
    private readonly parts: CancellationsParts,
    settings: Partial<CancellationsSettings> = {},
  ) {
    this.settings = { namespace: 'tsq', intervalMs: 1_000, ...settings };
    const logger = parts.logger ?? silentLogger;
    this.trouble = new Trouble(logger, "Can't look for cancelled jobs");
    this.lifecycle = new Lifecycle(this.name, logger, {
      start: async () => {
        this.timer = setInterval(() => this.look(), this.settings.intervalMs);
      },
      quiet: async () => undefined, // what runs can still be cancelled
      stop: async () => {
        clearInterval(this.timer);
        await this.looking;
      },
    });
  }

  /** Running jobs whose signal was fired, since the start. */
  get count(): number {
    return this.signalled;
  }

  start(): Promise<void> {
    return this.lifecycle.start();
  }

  quiet(): Promise<void> {
    return this.lifecycle.quiet();
  }

  stop(deadline: AbortSignal): Promise<void> {
    return this.lifecycle.stop(deadline);
  }

  /** The end of a cancelled job is written. Never rejects. */
  async forget(jid: string): Promise<void> {
    try {
      await forgetCancellation(this.parts.redis, jid, this.settings.namespace);
    } catch (error) {
      this.trouble.met(error); // it expires anyway
    }
  }

  private look(): void {
    if (this.looking !== undefined || this.parts.running.size === 0) return;
    this.looking = this.abortCancelled().finally(() => {
      this.looking = undefined;
    });
  }

  private async abortCancelled(): Promise<void> {
    const { redis, running } = this.parts;
    if (redis.status !== 'ready') return;
    const jobs = running.list().filter(({ jid }) => jid !== '');
    try {
      const jids = jobs.map(({ jid }) => jid);
      const cancelled = await cancelledOf(redis, jids, this.settings.namespace);
      this.trouble.over();
      for (const job of jobs.filter(({ jid }) => cancelled.has(jid))) {
        this.signalled += 1;
        job.abort(new TsqError('TSQ_JOB_CANCELLED', `job ${job.jid} was cancelled; it is not retried`));
      }
    } catch (error) {
      this.trouble.met(error);
    }
  }
}
