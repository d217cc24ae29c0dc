/** A started TrackingFetcher of a registered instance, with a connection to look at what it did; `await using` stops it. */
import { RecordingLogger, type TestRedis } from '@tsq/core/test-support';
import type { Redis } from 'ioredis';
import { Instance } from '../instance.js';
import { Keyspace } from '../keyspace.js';
import { TrackingFetcher } from '../tracking-fetcher.js';
import type { TrackingFetcherOptions } from '../tracking-fetcher-options.js';

export interface OpenFetcher extends AsyncDisposable {
  readonly fetcher: TrackingFetcher;
  readonly instance: Instance;
  readonly admin: Redis;
  readonly logger: RecordingLogger;
}

export async function openFetcher(
  redis: TestRedis,
  options: Partial<TrackingFetcherOptions> = {},
): Promise<OpenFetcher> {
  const instance = new Instance('test');
  const logger = new RecordingLogger();
  const admin = redis.connect();
  await admin.sadd(new Keyspace().instances, instance.id);
  const fetcher = new TrackingFetcher({ location: { url: redis.url }, instance, logger, ...options });
  await fetcher.start();
  return { fetcher, instance, admin, logger, [Symbol.asyncDispose]: () => fetcher.stop(AbortSignal.abort()) };
}
