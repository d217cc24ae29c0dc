/**
 * Takes one claimed job from its bytes to its outcome.
 *
 * Steps throw and never write. One place turns what they throw into an Outcome and one call hands it over, so no crash
 * point lies between "it failed" and "its retry is recorded": that place is job-ending.ts, where each way of ending is a method.
 * A new step is a new line in `process` or `run`. Bytes that can't be read run nothing: they go to the dead set as they are.
 * A fault in here sends the job to the dead set too: while the process lives nobody else would look at its claim.
 */
import { faultPoint, type Logger, Payload, silentLogger, type TsqError, type UnitOfWork } from '@tsq/core';
import { type Clock, hostClock } from './clock.js';
import { jobStorage } from './current-job.js';
import { refusalOf } from './foreign-features.js';
import { RunningJobContext } from './job-context.js';
import { JobEnding } from './job-ending.js';
import { expiresAtMs } from './job-expiry.js';
import { JobLog } from './job-log.js';
import type { JobProcessor, ProcessedJob } from './job-processor.js';
import { JobTimeout } from './job-timeout.js';
import type { ProcessorCounts } from './processor-counts.js';
import type { ProcessorParts, ProcessorSettings } from './processor-settings.js';

export class Processor implements JobProcessor {
  private readonly logger: Logger;
  private readonly clock: Clock;
  private readonly jobLog: JobLog;
  private readonly jobTimeout: JobTimeout;
  private readonly ending: JobEnding;

  constructor(
    private readonly parts: ProcessorParts,
    private readonly settings: ProcessorSettings = {},
  ) {
    this.logger = parts.logger ?? silentLogger;
    this.clock = parts.clock ?? hostClock;
    this.jobLog = new JobLog(settings.jobLog ?? 'all');
    this.jobTimeout = new JobTimeout(settings.timeoutGraceMs ?? 5_000);
    this.ending = new JobEnding(parts, settings, this.jobLog);
  }

  get counts(): ProcessorCounts {
    return this.ending.counts;
  }

  async process(unit: UnitOfWork): Promise<ProcessedJob> {
    let job: RunningJobContext;
    try {
      job = this.read(unit);
    } catch (error) {
      return this.ending.unreadable(unit, error);
    }
    try {
      const refusal = this.refusalOf(job);
      if (refusal !== undefined) return this.ending.refused(job, refusal);
      this.begin(job);
      const expiry = expiresAtMs(job.payload, job.options.expiresIn);
      const lateMs = expiry === undefined ? undefined : await this.lateMs(expiry);
      if (lateMs !== undefined) return this.ending.expired(job, lateMs);
      try {
        await this.run(job);
      } catch (error) {
        faultPoint('perform.after');
        return await this.ending.threw(job, error);
      }
      faultPoint('perform.after');
      return this.ending.returned(job);
    } catch (fault) {
      return this.ending.fault(job, fault);
    }
  }

  /** @throws TSQ_PAYLOAD_UNREADABLE, TSQ_PAYLOAD_TOO_DEEP, TSQ_PAYLOAD_TOO_LARGE */
  private read(unit: UnitOfWork): RunningJobContext {
    const payload = Payload.parse(unit.bytes);
    return new RunningJobContext(unit, payload, payload.args(this.settings.bigIntegers), this.logger);
  }

  private refusalOf({ payload }: RunningJobContext): TsqError | undefined {
    return this.settings.foreignFeatures === 'run' ? undefined : refusalOf(payload);
  }

  private begin(job: RunningJobContext): void {
    job.worker = this.parts.registry.get(job.class);
    this.parts.running.begin(job);
    job.unit.whenLost = (reason) => job.abort(reason);
    this.jobLog.started(job);
  }

  /** By how much the time to begin is over; undefined: it is not, or nobody can say. */
  private async lateMs(expiryMs: number): Promise<number | undefined> {
    const nowMs = await this.clock.nowMs();
    return nowMs === undefined || nowMs < expiryMs ? undefined : nowMs - expiryMs;
  }

  private run(job: RunningJobContext): Promise<void> {
    const worker = job.worker ?? this.parts.registry.find(job.class); // unknown: throws; another process may know it
    const args = worker.checkArgs(job.args); // against the schema: retry, and the message names the argument
    const perform = () =>
      asPromise(() => {
        faultPoint('perform.before');
        return worker.perform(job, args, this.parts.iterations);
      });
    const start = () => jobStorage.run(job, () => this.parts.middleware.invoke(job, perform));
    return worker.timeoutMs === undefined ? start() : this.jobTimeout.enforce(job, worker.timeoutMs, start);
  }
}

/** Whatever `perform` is, middleware gets a promise: a `next()` that threw at once would pass its `.catch` by. */
function asPromise(perform: () => unknown): Promise<void> {
  try {
    const result = perform();
    // What it resolves to is nobody's, and a step that drops it would cost every job a turn of the microtask queue.
    return result === undefined ? resolved : (Promise.resolve(result) as Promise<unknown> as Promise<void>);
  } catch (error) {
    return Promise.reject(error);
  }
}

const resolved: Promise<void> = Promise.resolve();
