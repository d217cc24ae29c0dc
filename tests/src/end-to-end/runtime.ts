/** The runtime that tsq-worker puts together, in this process: a test can look into its workers, its log and its counts. */
import { type Dialect, type Job, MiddlewareChain, openConnection } from '@tsq/core';
import { eventually, RecordingLogger } from '@tsq/core/test-support';
import { Instance, Keyspace, TrackingFetcher, trackingMiddleware } from '@tsq/tracker';
import {
  type AnyWorker,
  JobStats,
  Manager,
  Poller,
  Processor,
  ProcessRegistry,
  QueueOrder,
  RunningJobs,
  WorkerRegistry,
} from '@tsq/worker';

export interface Runtime extends AsyncDisposable {
  readonly logger: RecordingLogger;
  /** Moves what is due; otherwise nobody does. */
  readonly poller: Poller;
  /** Resolves when no job runs and the outcomes are written. */
  stop(): Promise<void>;
}

/** Works on the queue `default`, ten jobs at once. */
export async function startRuntime(
  url: string,
  workers: readonly AnyWorker[],
  settings: { readonly dialect?: Dialect } = {},
): Promise<Runtime> {
  const { dialect = 'seconds' } = settings;
  const logger = new RecordingLogger();
  const redis = openConnection({ url }, { name: 'runtime', logger });
  const instance = new Instance('runtime');
  const order = new QueueOrder([{ name: 'default', weight: 0 }]);
  const running = new RunningJobs();
  const stats = new JobStats();
  const fetcher = new TrackingFetcher({ location: { url }, instance, logger });
  const middleware = new MiddlewareChain<Job, void>().add('tracking', trackingMiddleware());
  const parts = { registry: new WorkerRegistry(workers), middleware, running, stats, logger };
  const processor = new Processor(parts, { retry: { dialect } });
  const poller = new Poller({ redis, logger, dialect });
  const components = [
    fetcher,
    new ProcessRegistry({
      redis,
      running,
      stats,
      logger,
      info: infoOf(order),
      onSignal: () => undefined,
      beatIntervalMs: 50,
    }),
    new Manager({ fetcher, processor, order, running, logger }),
  ];
  await eventually(() => redis.sadd(new Keyspace().instances, instance.id));
  for (const component of components) await component.start();
  const stop = async () => {
    for (const component of components.splice(0).reverse()) await component.stop(AbortSignal.timeout(5_000));
    redis.disconnect();
  };
  return { logger, poller, stop, [Symbol.asyncDispose]: stop };
}

function infoOf(order: QueueOrder) {
  const capsules = [{ name: 'default', concurrency: 10, order }];
  const who = { identity: 'host:1:abc', hostname: 'host', pid: 1, startedAtMs: Date.now() };
  return { ...who, tag: '', labels: [], version: '0', capsules };
}
