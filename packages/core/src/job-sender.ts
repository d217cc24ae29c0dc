/**
 * Takes a job from what a caller said to what Redis confirmed: made, through the middleware, checked, encoded, pushed. A
 * client has one; the Enqueuers that `with` makes share it.
 */
import type { ClientJob } from './client-middleware.js';
import type { Dialect } from './dialect.js';
import type { PushFailure } from './enqueue-error.js';
import type { EnqueueOptions } from './enqueue-options.js';
import { JidSource } from './jid.js';
import { encodeJob } from './job-encoding.js';
import { checkJob, checkJobArgs, newJob, whenInFuture } from './job-item.js';
import { MiddlewareChain } from './middleware-chain.js';
import type { Pusher } from './push.js';
import type { WorkerDefinition } from './worker-contract.js';

export class JobSender {
  readonly middleware = new MiddlewareChain<ClientJob, void>();
  private readonly jids = new JidSource();

  constructor(
    private readonly pusher: Pusher,
    private readonly dialect: Dialect,
  ) {}

  make(
    definition: WorkerDefinition,
    options: EnqueueOptions,
    args: readonly unknown[],
    atSeconds: number | undefined,
  ): ClientJob {
    this.pusher.checkOpen();
    return newJob(definition, options, args, options.jid ?? this.jids.next(), whenInFuture(atSeconds));
  }

  get hasMiddleware(): boolean {
    return this.middleware.names.length > 0;
  }

  /** Runs the middleware. Resolves with false when one dropped the job. */
  async passesMiddleware(job: ClientJob): Promise<boolean> {
    let passed = false;
    await this.middleware.invoke(job, async () => {
      passed = true;
    });
    return passed;
  }

  /** After the middleware, which may have changed anything (Sidekiq checks args there from 6.4.2 on). */
  check(definition: WorkerDefinition, job: ClientJob): void {
    checkJob(job);
    checkJobArgs(definition, job.args);
  }

  push(job: ClientJob): Promise<PushFailure | undefined> {
    return this.pusher.push(encodeJob(job, whenInFuture(job.at), this.dialect));
  }
}
