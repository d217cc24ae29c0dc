/**
 * `npm start`: everything the demo needs, then the demo. `npm start -- --keep` leaves the worker and Redis up until
 * Ctrl-C. Redis is the one of REDIS_URL, else a private one that ends with the demo.
 */
import { requireNode } from './set-up/node-version.mjs';

requireNode(20);
const { join } = await import('node:path');
const { root } = await import('./set-up/command.mjs');
const { step } = await import('./set-up/step.mjs');
const { prepareWorkspace } = await import('./set-up/workspace.mjs');
const { requireRedisServer, startPrivateRedis } = await import('./set-up/redis.mjs');
const { rubySidekiqVersion } = await import('./set-up/ruby.mjs');
const { exitWith, runInOwnGroup } = await import('./set-up/program.mjs');

await exitWith(async () => {
  await prepareWorkspace();
  await step('Ruby', describeRuby);
  const redis = await provideRedis();
  try {
    const demo = join(root, 'apps/demo/dist/show.js');
    return await runInOwnGroup([demo, ...process.argv.slice(2)], { REDIS_URL: redis.url });
  } finally {
    await redis.stop();
  }
});

async function provideRedis() {
  if (process.env.REDIS_URL) {
    console.log('• Redis: the one of REDIS_URL');
    return { url: process.env.REDIS_URL, stop: async () => undefined };
  }
  let redis;
  await step('Redis', async () => {
    const from = await requireRedisServer();
    redis = await startPrivateRedis();
    return `${redis.url} (${from})`;
  });
  return redis;
}

async function describeRuby() {
  const version = await rubySidekiqVersion();
  if (version !== undefined) return `Sidekiq ${version} enqueues too`;
  return 'not there, so TypeScript alone enqueues (Debian, Ubuntu: apt-get install ruby-sidekiq)';
}
