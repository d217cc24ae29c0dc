/**
 * Asks a worker's own code what becomes of a failed job: `retryIn`, and at the end `retriesExhausted`. The answer decides what
 * is written, so the job waits for it in its slot, with its claim if it has one. What must stay true: whatever that code
 * does (throws, hangs, answers nonsense) the job gets the outcome that it would have had without it.
 */
import { describeValue, type Job, type Logger, type RetryDecision, type WorkerOptions } from '@tsq/core';
import { jobStorage } from './current-job.js';
import { Waiting } from './in-time.js';
import { logSafely, logThrown } from './log-thrown.js';

/** More than that is a point in time, or milliseconds. */
const longestSeconds = 1e9;

type Hook = 'retryIn' | 'retriesExhausted';

export class RetryHooks {
  private isTakenAway = false;
  private waiting: Waiting<unknown> | undefined;

  constructor(
    private readonly job: Job,
    private readonly options: WorkerOptions,
    private readonly timeoutMs: number,
  ) {}

  /** Somebody else ends the job meanwhile (a stop, a lost claim): no answer is waited for any more. */
  readonly takeAway = (): void => {
    this.isTakenAway = true;
    this.waiting?.giveUp();
  };

  /** What was decided here is not to be written. */
  get areTooLate(): boolean {
    return this.isTakenAway;
  }

  async retryIn(count: number, error: unknown): Promise<RetryDecision> {
    const { retryIn } = this.options;
    if (retryIn === undefined || this.isTakenAway) return 'default';
    const answer = await this.answer('retryIn', () => retryIn(count, error, this.job));
    if (isDecision(answer)) return answer;
    if (answer !== undefined) this.reportNonsense(answer);
    return 'default';
  }

  async retriesExhausted(error: unknown): Promise<'dead' | 'discard'> {
    const { retriesExhausted } = this.options;
    if (retriesExhausted === undefined || this.isTakenAway) return 'dead';
    const answer = await this.answer('retriesExhausted', () => retriesExhausted(this.job, error));
    return answer === 'discard' ? 'discard' : 'dead';
  }

  /** undefined when there is none to be had. */
  private async answer(hook: Hook, ask: () => unknown): Promise<unknown> {
    try {
      const answer = jobStorage.run(this.job, ask);
      return isThenable(answer) ? await this.inTime(hook, Promise.resolve(answer)) : answer;
    } catch (thrown) {
      logThrown(this.logger, 'error', { hook }, thrown, `${hook} of the worker failed; the default is taken`);
      return undefined;
    }
  }

  private async inTime(hook: Hook, answer: Promise<unknown>): Promise<unknown> {
    const { timeoutMs } = this;
    const untimely = `${hook} of the worker has not answered within ${timeoutMs} ms; the default is taken`;
    this.waiting = new Waiting(answer, {
      timeoutMs,
      onTimeout: () => logSafely(() => this.logger.error({ hook }, untimely)),
      onLate: (late) =>
        logThrown(this.logger, 'warn', { hook }, late, `${hook} of the worker failed too late`),
    });
    return await this.waiting.result();
  }

  private reportNonsense(answer: unknown): void {
    const message =
      `retryIn of the worker: expected seconds (more than 0, at most 1e9), 'default', 'kill' or 'discard', ` +
      `got ${describeValue(answer)}; the default is taken`;
    logSafely(() => this.logger.warn({ hook: 'retryIn' }, message));
  }

  private get logger(): Logger {
    return this.job.logger;
  }
}

function isDecision(answer: unknown): answer is RetryDecision {
  if (typeof answer === 'number') return answer > 0 && answer <= longestSeconds;
  return answer === 'default' || answer === 'kill' || answer === 'discard';
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
