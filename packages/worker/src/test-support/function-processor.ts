/** A JobProcessor that runs one function for every job: for tests of the Manager alone. */
import type { Outcome, TsqError, UnitOfWork } from '@tsq/core';
import type { JobProcessor, ProcessedJob } from '../job-processor.js';
import { RunningJobs } from '../running-jobs.js';

export type JobFunction = (text: string, signal: AbortSignal, stopping: AbortSignal) => unknown;

export class FunctionProcessor implements JobProcessor {
  readonly running = new RunningJobs();
  /** What each job said, in the order of their ends. */
  readonly ended: string[] = [];
  mostAtOnce = 0;
  private started = 0;

  constructor(private readonly run: JobFunction) {}

  async process(unit: UnitOfWork): Promise<ProcessedJob> {
    const stop = new AbortController();
    const stopping = new AbortController();
    this.started += 1;
    const slot = String(this.started);
    const abort = (reason: TsqError) => stop.abort(reason);
    const tellStopping = () => stopping.abort();
    const recorded = { displayClass: '', beganAtMs: performance.now() };
    const job = { slot, unit, jid: '', class: '', startedAtMs: Date.now(), abort, tellStopping, ...recorded };
    this.running.begin(job);
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running.size);
    const outcome = await this.outcomeOf(unit, stop.signal, stopping.signal);
    this.running.end(job);
    return { outcome, settlement: unit.settle(outcome).catch(() => 'unknown') };
  }

  private async outcomeOf(unit: UnitOfWork, signal: AbortSignal, stopping: AbortSignal): Promise<Outcome> {
    const text = unit.bytes.toString();
    try {
      await this.run(text, signal, stopping);
      this.ended.push(text);
      return { kind: 'done' };
    } catch (error) {
      if (signal.aborted) return { kind: 'requeue' };
      throw error;
    }
  }
}
