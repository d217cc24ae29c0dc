/**
 * One run of a job that iterates: from its stored cursor until it is through, cancelled, or has to make room.
 *
 * What must stay true: the cursor that is stored is that of an item that is still to be done, so whoever goes on begins with
 * it and leaves none out. It is stored before an item, never in the middle of one; and not at all once the claim is lost: by
 * then another run stores where it stands.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Job, type JsonValue, stringifyJson, TsqError } from '@tsq/core';
import type { AnyIterationSteps, IterationSource } from './iterable-worker.js';

/** `stopping`: the process takes no new jobs. `runtime`: it had its turn, others wait. */
export type Interruption = 'stopping' | 'runtime';

export type IterationEnd = 'completed' | 'cancelled' | Interruption;

/** Where a job stands, and where that is kept. */
export interface IterationState {
  /** Runs, this one included. */
  executions: number;
  /** Of the next item; undefined: from the beginning. */
  cursor: JsonValue | undefined;
  /** Of all runs that have ended. */
  runtimeSeconds: number;
  /** @throws when it can't be read: then it is not known where to begin */
  load(): Promise<'going' | 'cancelled'>;
  /** Rejects only for a cursor that JSON can't carry: one that is not stored costs work done twice, not the job. */
  store(): Promise<'going' | 'cancelled'>;
}

export interface IterationLimits {
  /** Between two times that the cursor is stored. Default 5000, as in Sidekiq. */
  readonly storeEachMs?: number;
  /** Of one run. Default: none. */
  readonly maxRuntimeMs?: number | undefined;
}

/** Why the signal fires when somebody has cancelled the job by its jid: as the mark in its state, but heard of sooner. */
const cancelled = 'TSQ_JOB_CANCELLED';

/** A walk that awaits nothing gives way for so long: else the process would not even hear that it is to stop. */
const breathEachMs = 10;

export class Iteration {
  private readonly startedAtMs = performance.now();
  private storedAtMs = this.startedAtMs;
  private breathedAtMs = this.startedAtMs;
  private hasBegun = false;
  private hasIterated = false;

  constructor(
    private readonly steps: AnyIterationSteps,
    private readonly args: readonly unknown[],
    private readonly job: Pick<Job, 'signal' | 'stopping' | 'logger'>,
    private readonly state: IterationState,
    private readonly limits: IterationLimits = {},
  ) {}

  async run(): Promise<IterationEnd> {
    const { steps, state } = this;
    if ((await state.load()) === 'cancelled') return await this.cancel();
    state.executions += 1;
    const source = await steps.enumerator(this.args, state.cursor);
    if (source === undefined) return 'completed';
    await (state.executions === 1 ? steps.onStart?.() : steps.onResume?.());
    try {
      const end = await this.walk(source);
      await steps.onStop?.();
      if (end === 'completed') await steps.onComplete?.();
      return end;
    } catch (error) {
      if (codeOf(this.job.signal.reason) === cancelled) return await this.cancel();
      if (this.hasBegun && !this.isLost) await this.storeAtEnd();
      throw error;
    }
  }

  private async walk(source: IterationSource<unknown, JsonValue>): Promise<IterationEnd> {
    for await (const [item, cursor] of source) {
      this.reach(cursor);
      const interruption = this.interruption();
      const stored = await this.storeIfDue(interruption);
      if (stored === 'cancelled') return await this.cancel();
      if (interruption !== undefined) return interruption;
      await this.iterate(item);
      await this.breathe();
    }
    return 'completed';
  }

  private reach(cursor: JsonValue): void {
    // A cursor that can't be stored is a mistake to hear of at the first item, not after five seconds.
    if (!this.hasBegun) stringifyJson(cursor);
    this.hasBegun = true;
    this.state.cursor = cursor;
  }

  /** @throws the reason why the job is to end as one that failed, or is lost */
  private interruption(): Interruption | undefined {
    const { signal, stopping } = this.job;
    if (signal.aborted && !isStop(signal.reason)) throw signal.reason;
    if (signal.aborted || stopping.aborted) return 'stopping';
    const { maxRuntimeMs = Number.POSITIVE_INFINITY } = this.limits;
    // Each run does one item at least, or a job whose beginning takes too long would come and go for ever.
    if (!this.hasIterated) return undefined;
    return performance.now() - this.startedAtMs >= maxRuntimeMs ? 'runtime' : undefined;
  }

  private async storeIfDue(interruption: Interruption | undefined): Promise<'going' | 'cancelled'> {
    if (interruption !== undefined) return await this.storeAtEnd();
    const { storeEachMs = 5_000 } = this.limits;
    if (performance.now() - this.storedAtMs < storeEachMs) return 'going';
    const stored = await this.state.store();
    this.storedAtMs = performance.now();
    return stored;
  }

  private storeAtEnd(): Promise<'going' | 'cancelled'> {
    const { state } = this;
    state.runtimeSeconds += (performance.now() - this.startedAtMs) / 1_000;
    return state.store();
  }

  private async iterate(item: unknown): Promise<void> {
    const iterate = async () => {
      await this.steps.eachIteration(item, ...this.args);
    };
    await (this.steps.aroundIteration?.(iterate) ?? iterate());
    this.hasIterated = true;
  }

  private async breathe(): Promise<void> {
    if (performance.now() - this.breathedAtMs < breathEachMs) return;
    await nextTurn();
    this.breathedAtMs = performance.now();
  }

  private async cancel(): Promise<'cancelled'> {
    this.job.logger.info({ executions: this.state.executions }, 'cancelled');
    await this.steps.onCancel?.();
    return 'cancelled';
  }

  private get isLost(): boolean {
    const { signal } = this.job;
    return signal.aborted && codeOf(signal.reason) === 'TSQ_CLAIM_LOST';
  }
}

function isStop(reason: unknown): boolean {
  return codeOf(reason) === 'TSQ_JOB_STOPPED';
}

function codeOf(reason: unknown): string | undefined {
  return reason instanceof TsqError ? reason.code : undefined;
}
