/** The worker process that is measured, and waiting for what it does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Contestant } from './contestant.js';
import type { PrivateRedis } from './private-redis.js';

export function startWorker(
  redis: PrivateRedis,
  contestant: Pick<Contestant, 'command' | 'variables'>,
  variables: Readonly<Record<string, string>>,
): ChildProcess {
  const [program = '', ...args] = contestant.command;
  const own = { ...contestant.variables, ...variables, REDIS_URL: redis.url, NODE_ENV: 'production' };
  const env = { ...process.env, ...own };
  return spawn(program, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
}

export async function stopWorker(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const gone = once(worker, 'exit');
  worker.kill('SIGTERM');
  await gone;
}

export async function until(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 120_000;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`waited 120 s, and it did not come true: ${what}`);
    await delay(2);
  }
}
