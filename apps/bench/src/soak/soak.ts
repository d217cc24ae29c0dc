/**
 * One soak: a Redis of its own, the fleet, both producers and both operators for the time that is given; then the operators
 * rest, the fleet finishes what is there, stops, and the books are made from the journal and the dead set alone.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DeadSet, RetrySet, ScheduledSet, Stats } from '@tsq/core';
import { Seeded } from '@tsq/core/test-support/outside-jest';
import type { Redis } from 'ioredis';
import { PrivateRedis } from '../private-redis.js';
import { type Account, accountFor } from './account.js';
import { Fleet } from './fleet.js';
import { type JournalLine, journalVariable, readJournal } from './journal.js';
import { Operator } from './operator.js';
import { produce } from './producer.js';

/** For the last jobs, once nothing new comes. */
const drainWithinMs = 120_000;

export interface SoakSettings {
  readonly minutes: number;
  readonly seed: number;
  /** Of each of the two producers. */
  readonly jobsPerSecond: number;
  readonly say: (line: string) => void;
}

export interface SoakResult {
  readonly account: Account;
  readonly journal: readonly JournalLine[];
  /** What else went wrong: a process that ended otherwise than in good order, a key of tsq's that stayed. */
  readonly failures: readonly string[];
}

export async function soak(settings: SoakSettings): Promise<SoakResult> {
  const folder = mkdtempSync(join(tmpdir(), 'tsq-soak-'));
  const journal = join(folder, 'journal');
  writeFileSync(journal, '');
  const redis = await PrivateRedis.start();
  const fleet = new Fleet(redis.url, redis.admin, folder, journal);
  try {
    fleet.start();
    await loadFor(settings, redis, fleet, journal);
    await fleet.stop();
    settings.say(`the fleet has stopped; ${fleet.startedCount} processes took part`);
    const lines = readJournal(journal);
    const account = accountFor(lines, await deadJids(redis.admin));
    return { account, journal: lines, failures: [...fleet.failures, ...(await leftovers(redis.admin))] };
  } finally {
    await fleet.stop();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function loadFor(
  settings: SoakSettings,
  redis: PrivateRedis,
  fleet: Fleet,
  journal: string,
): Promise<void> {
  const [load, tending] = [new AbortController(), new AbortController()];
  const tended = fleet.tend(tending.signal);
  const visitor = startVisitor(settings, redis.url, journal);
  const { seed, jobsPerSecond } = settings;
  const random = new Seeded(seed);
  const ended = Promise.all([
    produce({ redisUrl: redis.url, jobsPerSecond, journal, random }, load.signal),
    new Operator(redis.admin, journal, new Seeded(seed + 1)).run(load.signal),
  ]);
  try {
    await Promise.race([ended, tell(settings, redis.admin)]);
  } finally {
    load.abort();
    await endVisitor(visitor, fleet);
    await ended;
  }
  settings.say('nothing new comes; what is there is brought to its end');
  await drain(redis.admin, journal);
  tending.abort();
  await tended;
}

/** Resolves after the time of the soak. */
async function tell({ minutes, say }: SoakSettings, redis: Redis): Promise<void> {
  const end = performance.now() + minutes * 60_000;
  while (performance.now() < end) {
    await delay(Math.min(10_000, Math.max(0, end - performance.now())));
    const { processed, failed, enqueued, retrySize, scheduledSize, deadSize } = await new Stats(
      redis,
    ).fetch();
    say(
      `processed ${processed}, failed ${failed}, enqueued ${enqueued}, retry ${retrySize}, schedule ${scheduledSize}, dead ${deadSize}`,
    );
  }
}

function startVisitor(
  { seed, jobsPerSecond }: SoakSettings,
  redisUrl: string,
  journal: string,
): ChildProcess {
  const script = fileURLToPath(new URL('../../ruby/soak/visitor.rb', import.meta.url));
  const env = { ...process.env, REDIS_URL: redisUrl, [journalVariable]: journal };
  return spawn('ruby', [script, String(seed), String(jobsPerSecond)], {
    env,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
}

async function endVisitor(visitor: ChildProcess, fleet: Fleet): Promise<void> {
  if (visitor.exitCode === null && visitor.signalCode === null) {
    const gone = once(visitor, 'exit');
    visitor.stdin?.end();
    await gone;
  }
  if (visitor.exitCode !== 0)
    fleet.failures.push(`Ruby's visitor ended with ${visitor.exitCode ?? visitor.signalCode}`);
}

/** Until every job has come to an end, or time is over: then the books say which have not. */
async function drain(redis: Redis, journal: string): Promise<void> {
  const end = performance.now() + drainWithinMs;
  for (let quiet = 0; quiet < 3 && performance.now() < end; ) {
    // Not `retry`: it gives a retry back, and a hopeless job would never die.
    await new ScheduledSet(redis).addAllToQueue();
    await new RetrySet(redis).addAllToQueue();
    await delay(500);
    const { enqueued, retrySize, scheduledSize } = await new Stats(redis).fetch();
    const { lost } = accountFor(readJournal(journal), await deadJids(redis));
    quiet = enqueued + retrySize + scheduledSize + lost.length === 0 ? quiet + 1 : 0;
  }
}

async function deadJids(redis: Redis): Promise<readonly string[]> {
  const jids: string[] = [];
  for await (const { jid, bytes } of new DeadSet(redis)) jids.push(jid ?? `unreadable: ${bytes.toString()}`);
  return jids;
}

/** Keys of claims and instances: none may be there when nobody is. */
async function leftovers(redis: Redis): Promise<readonly string[]> {
  const keys = await redis.keys('tsq:*');
  return keys.length === 0 ? [] : [`keys that stayed: ${keys.join(', ')}`];
}
