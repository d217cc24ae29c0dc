/** Does at random, by the data API, what people do on the pages: to entries, to queues, to processes. */
import { setTimeout as delay } from 'node:timers/promises';
import { DeadSet, type JobSet, ProcessSet, Queue, RetrySet, ScheduledSet } from '@tsq/core';
import type { Seeded } from '@tsq/core/test-support/outside-jest';
import type { Redis } from 'ioredis';
import { note } from './journal.js';

const queues = ['default', 'low'] as const;
const actions = ['retry', 'addToQueue', 'kill', 'delete', 'reschedule', 'reschedule'] as const;
const roundMs = 100;
const actionsInRound = 3;

export class Operator {
  private readonly sets: readonly JobSet[];

  constructor(
    private readonly redis: Redis,
    private readonly journal: string,
    private readonly random: Seeded,
  ) {
    this.sets = [new RetrySet(redis), new ScheduledSet(redis), new DeadSet(redis)];
  }

  /** Resolves once `end` has fired; no queue is paused then. */
  async run(end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      await Promise.all(Array.from({ length: actionsInRound }, () => this.act()));
      await delay(roundMs);
    }
    for (const queue of queues) await new Queue(this.redis, queue).unpause();
  }

  private async act(): Promise<void> {
    const chance = this.random.next();
    if (chance < 0.85) return await this.actOnEntry();
    if (chance < 0.95) return await this.deleteFromQueue();
    if (chance < 0.98) return await this.pauseOrUnpause();
    if (chance < 0.997) return await this.sweep();
    await this.quietAProcess();
  }

  /** One of the first entries, as a page shows them. */
  private async actOnEntry(): Promise<void> {
    const { entries } = await this.random.pick(this.sets).page();
    if (entries.length === 0) return;
    const entry = this.random.pick(entries);
    const action = this.random.pick(actions);
    // Somebody looks at the page before he acts, and others may be first.
    if (this.random.next() < 0.5) await delay(this.random.below(50));
    const at = Date.now() / 1_000 + this.random.next() * 3;
    const answer = action === 'reschedule' ? await entry.reschedule(at) : await entry[action]();
    note('act', entry.jid ?? '-', `${action} ${answer}`, this.journal);
  }

  private async deleteFromQueue(): Promise<void> {
    const { jobs } = await new Queue(this.redis, this.random.pick(queues)).page();
    if (jobs.length === 0) return;
    const job = this.random.pick(jobs);
    note('act', job.jid ?? '-', `delete ${await job.delete()}`, this.journal);
  }

  private async pauseOrUnpause(): Promise<void> {
    const queue = new Queue(this.redis, this.random.pick(queues));
    const isPaused = await queue.paused();
    if (!isPaused && this.random.next() < 0.7) return; // only tsq heeds it: else Ruby would do most of the jobs
    const done = isPaused ? await queue.unpause() : await queue.pause();
    note('act', '-', `${isPaused ? 'unpause' : 'pause'} ${done}`, this.journal);
  }

  private async sweep(): Promise<void> {
    const where = () => this.random.next() < 0.3;
    const set = this.random.pick(this.sets);
    const { done } = await (this.random.next() < 0.5
      ? set.retryAll({ where })
      : set.rescheduleAll(Date.now() / 1_000, { where }));
    note('act', '-', `sweep ${done > 0}`, this.journal);
  }

  /** Somebody looks after the quiet ones: see the fleet. */
  private async quietAProcess(): Promise<void> {
    for await (const process of new ProcessSet(this.redis)) {
      if (process.isQuiet || this.random.next() < 0.5) continue;
      await process.quiet();
      note('act', '-', 'quiet true', this.journal);
      return;
    }
  }
}
