/**
 * Sends encoded jobs as Sidekiq does: `SADD queues NAME` and `LPUSH queue:NAME payload…` in one pipeline, or
 * `ZADD schedule score payload…`. What is pushed in one turn of the event loop goes in one pipeline with one command for
 * each queue, so a hundred calls at once cost one round trip. SADD goes first: a crash in between leaves an empty known
 * queue, never an invisible job. Nothing is ever sent twice.
 */
import { types } from 'node:util';
import { type Redis, ReplyError } from 'ioredis';
import type { ClientConnection } from './client-connection.js';
import type { PushFailure } from './enqueue-error.js';
import { TsqError } from './errors.js';
import type { EncodedJob } from './job-encoding.js';
import { keys } from './keys.js';
import type { Logger } from './logger.js';

/** One command keeps Redis for as long as it is long: a thousand jobs, some 2 ms. */
const mostJobsPerCommand = 1_000;

export class Pusher {
  private open: Batch | undefined;
  private readonly deliveries = new Set<Promise<void>>();
  private closed = false;

  constructor(
    private readonly connection: ClientConnection,
    private readonly deadlineMs: number,
    private readonly logger: Logger,
  ) {}

  /**
   * Resolves with undefined once Redis has the job, else with why it may not. Jobs that go in one command share a promise.
   * @throws TSQ_CLIENT_CLOSED, at once
   */
  push(job: EncodedJob): Promise<PushFailure | undefined> {
    this.checkOpen();
    this.open ??= this.begin();
    return this.open.add(job);
  }

  checkOpen(): void {
    if (!this.closed) return;
    throw new TsqError(
      'TSQ_CLIENT_CLOSED',
      'the client was closed: nothing was sent. Make a new Client, or close it later',
    );
  }

  /** What was given before is delivered, or fails by its deadline; then the connection ends. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.deliveries);
    this.connection.close();
  }

  private begin(): Batch {
    const batch = new Batch(this.deadlineMs, this.logger);
    const delivery = this.deliver(batch).finally(() => this.deliveries.delete(delivery));
    this.deliveries.add(delivery);
    return batch;
  }

  /** Never rejects: each group hears of its own failure. */
  private async deliver(batch: Batch): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve)); // half the cost of the one of node:timers/promises
    this.open = undefined;
    try {
      await this.connection.use(batch.deadline, (redis) => batch.send(redis));
    } catch (error) {
      batch.fail(error instanceof TsqError ? notPushed(error) : unsure(error));
    }
  }
}

/** The jobs of one turn. */
class Batch {
  readonly deadline: number;
  private readonly groups: Group[] = [];
  private readonly filling = new Map<string | undefined, Group>();

  constructor(
    private readonly deadlineMs: number,
    private readonly logger: Logger,
  ) {
    this.deadline = performance.now() + deadlineMs;
  }

  add(job: EncodedJob): Promise<PushFailure | undefined> {
    const queue = job.score === undefined ? job.queue : undefined;
    let group = this.filling.get(queue);
    if (group === undefined || group.size === mostJobsPerCommand) {
      group = new Group(queue);
      this.filling.set(queue, group);
      this.groups.push(group);
    }
    group.add(job);
    return group.outcome;
  }

  fail(failure: PushFailure): void {
    for (const group of this.groups) group.end(failure);
  }

  async send(redis: Redis): Promise<void> {
    const timer = setTimeout(() => this.fail(this.unanswered()), this.deadline - performance.now());
    const queues = [...this.filling.keys()].filter((queue) => queue !== undefined);
    const pipeline = redis.pipeline();
    if (queues.length > 0) pipeline.sadd(keys.queues, ...queues);
    for (const group of this.groups) pipeline.call(group.command, ...group.args);
    const replies = (await pipeline.exec()) ?? [];
    clearTimeout(timer);
    if (queues.length > 0) this.noteUnknownQueues(queues, replies.shift()?.[0]);
    this.groups.forEach((group, index) => {
      const error = replies[index]?.[0];
      group.end(error ? failureOf(group, error) : undefined);
    });
  }

  /** The jobs are there and will run; only Ruby's pages do not list their queue. */
  private noteUnknownQueues(queues: readonly string[], error: Error | null | undefined): void {
    if (error instanceof ReplyError) {
      this.logger.warn(
        { queues, err: error },
        'SADD queues was refused: the Web UI may not show these queues',
      );
    }
  }

  private unanswered(): PushFailure {
    return unsure(new Error(`no reply within ${this.deadlineMs} ms`));
  }
}

/** What goes in one command: the jobs of one queue, or those for `schedule`. They succeed or fail together. */
class Group {
  readonly command: 'LPUSH' | 'ZADD';
  readonly args: string[];
  readonly outcome: Promise<PushFailure | undefined>;
  /** The first call counts. */
  end: (failure: PushFailure | undefined) => void = () => undefined;
  size = 0;

  /** @param queue undefined: the jobs are scheduled */
  constructor(queue: string | undefined) {
    this.command = queue === undefined ? 'ZADD' : 'LPUSH';
    this.args = [queue === undefined ? keys.schedule : keys.queue(queue)];
    this.outcome = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  add(job: EncodedJob): void {
    if (job.score !== undefined) this.args.push(job.score);
    this.args.push(job.payload);
    this.size += 1;
  }
}

function failureOf(group: Group, error: Error): PushFailure {
  if (!(error instanceof ReplyError)) return unsure(error);
  const what = `${group.command} ${group.args[0]}`;
  return {
    code: 'TSQ_REDIS_REFUSED',
    outcome: 'not-pushed',
    message: `Redis refused ${what} (${error.message}): the job is not there`,
    cause: error,
  };
}

function notPushed(error: TsqError): PushFailure {
  return { code: error.code, outcome: 'not-pushed', message: error.message, cause: error.cause };
}

function unsure(error: unknown): PushFailure {
  const why = types.isNativeError(error) ? error.message : String(error);
  return {
    code: 'TSQ_REDIS_UNAVAILABLE',
    outcome: 'unknown',
    message:
      `Redis did not confirm a push (${why}): it was sent once, and the job may or may not be there. ` +
      'Enqueue it again only if running it twice does no harm',
    cause: error,
  };
}
