/**
 * Puts back what one dead instance held, step by step, and tells what it did. What must stay true: what keeps a job from
 * going back is logged once and not at each look, and never keeps the others.
 */
import type { Logger } from '@tsq/core';
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { recover } from './recover.js';
import type { RecovererSettings } from './settings.js';

/** By which rule an instance is dead: its heartbeat ran out, or all its connections were closed. */
export type DeathRule = 'heartbeat' | 'connections';

/** What one pass did for one dead instance. */
export interface RecoveredInstance {
  readonly instance: InstanceId;
  readonly rule: DeathRule;
  /** Jobs put back on their queues. */
  readonly recovered: number;
  /** Claims whose payload was gone. */
  readonly missing: number;
  /** Claims that it holds still: a key is in the way, or the recoverer was stopped. */
  readonly remaining: number;
  readonly durationMs: number;
}

export type RecoveredListener = (report: RecoveredInstance) => void;

export interface OrphanRecoveryOptions {
  readonly keyspace: Keyspace;
  readonly settings: Pick<RecovererSettings, 'batchSize' | 'position'>;
  readonly logger: Logger;
  /** Aborted, it ends after the step that is under way. */
  readonly signal: AbortSignal;
}

interface Sum {
  declaredDead: boolean;
  recovered: number;
  missing: number;
  remaining: number;
}

export class OrphanRecovery {
  /** Since the start of the process. */
  readonly counts = { deaths: 0, recovered: 0, missing: 0 };
  private readonly listeners = new Set<RecoveredListener>();
  /** What was in the way at the last look, by instance. */
  private readonly blocked = new Map<InstanceId, string>();

  constructor(private readonly options: OrphanRecoveryOptions) {}

  onRecovered(listener: RecoveredListener): void {
    this.listeners.add(listener);
  }

  async run(redis: Redis, id: InstanceId, rule: DeathRule): Promise<void> {
    const startedAt = performance.now();
    const sum = { declaredDead: false, recovered: 0, missing: 0, remaining: 0 };
    try {
      await this.inSteps(redis, id, sum);
    } finally {
      const { declaredDead, ...moved } = sum;
      if (declaredDead) this.counts.deaths += 1;
      // Otherwise another one was faster, or nothing could move.
      if (declaredDead || moved.recovered + moved.missing > 0) {
        const durationMs = Math.round(performance.now() - startedAt);
        this.report({ instance: id, rule, ...moved, durationMs });
      }
    }
  }

  /** Of the others nothing needs to be kept in mind any more. */
  forgetAllBut(ids: readonly InstanceId[]): void {
    for (const id of this.blocked.keys()) if (!ids.includes(id)) this.blocked.delete(id);
  }

  private async inSteps(redis: Redis, id: InstanceId, sum: Sum): Promise<void> {
    const { keyspace, settings, signal } = this.options;
    while (!signal.aborted) {
      const step = await recover(redis, keyspace, id, settings.batchSize, settings.position);
      if (step === 'alive') return;
      sum.declaredDead ||= step.declaredDead;
      sum.recovered += step.recovered;
      sum.missing += step.missing.length;
      sum.remaining = step.remaining;
      this.noteMissing(id, step.missing);
      this.noteBlocked(id, step.blockedBy);
      // Without progress the rest is blocked: the next pass looks again.
      if (step.remaining === 0 || step.recovered + step.missing.length === 0) return;
    }
  }

  private report(report: RecoveredInstance): void {
    const { logger } = this.options;
    this.counts.recovered += report.recovered;
    this.counts.missing += report.missing;
    const level = report.recovered + report.missing > 0 ? 'warn' : 'info';
    logger[level](report, `recovered ${report.recovered} jobs of a dead instance`);
    for (const listener of this.listeners) {
      try {
        listener(report);
      } catch (error) {
        logger.error({ err: error }, 'a listener of the recoverer failed');
      }
    }
  }

  private noteMissing(instance: InstanceId, members: readonly string[]): void {
    if (members.length === 0) return;
    const what = 'claims of a dead instance have no payload: there is nothing to put back';
    this.options.logger.error({ instance, members }, what);
  }

  private noteBlocked(instance: InstanceId, blockedBy: readonly string[]): void {
    const summary = blockedBy.join(' ');
    if (summary !== '' && summary !== this.blocked.get(instance)) {
      this.options.logger.error(
        { instance, blockedBy },
        'claims of a dead instance can not be put back: the key of a queue holds no list, or a member names no queue; they are kept',
      );
    }
    if (summary === '') this.blocked.delete(instance);
    else this.blocked.set(instance, summary);
  }
}
