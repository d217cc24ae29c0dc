/**
 * Instances that come and go in one process: each registers, beats from a thread of its own, claims some jobs, ends most of them,
 * and stops. Of every third the rest stays claimed, as after a stop whose deadline passed, and the others recover it. A process of
 * its own, so that its memory tells of starts and stops alone.
 */
import { Heartbeat, Recoverer } from '@tsq/recovery';
import { Instance, TrackingFetcher } from '@tsq/tracker';

const [, , url = '', count = '0'] = process.argv;
const location = { url };
const times = { intervalMs: 1_000, ttlMs: 4_000 };

for (let restart = 1; restart <= Number(count); restart += 1) {
  await live(restart);
  process.send?.(restart);
}
process.disconnect?.();

async function live(restart: number): Promise<void> {
  const instance = new Instance(`churn-${restart}`);
  const heartbeat = new Heartbeat({ location, instance, ...times });
  const fetcher = new TrackingFetcher({ location, instance });
  const recoverer = new Recoverer({ location, instance, startDelayMs: 0, heartbeatTtlMs: times.ttlMs });
  await heartbeat.start();
  await fetcher.start();
  await recoverer.start();
  const units = await fetcher.fetch(['default'], 5);
  const kept = restart % 3 === 0 ? 2 : 0;
  const ends = units
    .slice(kept)
    .map((unit, index) => unit.settle({ kind: index === 0 ? 'requeue' : 'done' }));
  await Promise.all(ends);
  for (const component of [recoverer, fetcher, heartbeat]) await component.stop(AbortSignal.timeout(2_000));
}
