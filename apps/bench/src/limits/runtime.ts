/**
 * The limit of a runtime's shape: slots, a class looked up by name, two middlewares composed once, AsyncLocalStorage, a
 * registry of what runs, counters, Buffers; two half batches on the way, and claims ahead of the slots by two milliseconds of
 * its own measured rate. No retry, no beat, no check of args, no log.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Roster, type Seated } from '@tsq/core';
import { countJob } from '../count.js';
import { type LeanClaim, LeanClaims } from './claims.js';

interface LeanJob extends Seated {
  readonly class: string;
  readonly args: readonly unknown[];
}

type Next = () => Promise<void>;
type Middleware = (job: LeanJob, next: Next) => Promise<void>;

const aheadMs = 2;
const [concurrency = '10', tracking = 'tracked'] = process.argv.slice(2);
const slots = Number(concurrency);
const isTracked = tracking === 'tracked';

class Noop {
  perform(_id: unknown, _name: unknown, _options: unknown): void {
    countJob();
  }
}

const classes = new Map([
  ['Noop', Noop],
  ['TrackedNoop', Noop],
]);
const context = new AsyncLocalStorage<LeanJob>();
const running = new Roster<LeanJob>();
const claims = await LeanClaims.open();
let waiting: LeanClaim[] = [];
let ended: LeanClaim[] = [];
let busy = 0;
let asked = 0;
let trips = 0;
let finished = 0;
let perMs = 0;
let stopping = false;

const registerRunning: Middleware = async (job, next) => {
  running.add(job);
  try {
    await next();
  } finally {
    running.delete(job);
  }
};
const countEnds: Middleware = async (_job, next) => {
  await next();
  finished += 1;
};

/** Composed once: what is allocated for a job is one closure for each middleware. */
const run = [registerRunning, countEnds].reduceRight<(job: LeanJob) => Promise<void>>(
  (inner, middleware) => (job) => middleware(job, () => inner(job)),
  async (job) => {
    const Class = classes.get(job.class);
    if (Class === undefined) throw new Error(`no such class: ${job.class}`);
    await new Class().perform(job.args[0], job.args[1], job.args[2]);
  },
);

async function occupySlot(): Promise<void> {
  busy += 1;
  for (let claim = waiting.pop(); claim !== undefined; claim = waiting.pop()) {
    const current = claim;
    const job = JSON.parse(current.payload.toString('utf8')) as LeanJob;
    if (!isTracked) ended.push(current);
    await context.run(job, () => run(job));
    if (isTracked) ended.push(current);
    pump();
  }
  busy -= 1;
  pump();
}

/** Two half batches: one is on its way while the other runs. */
function pump(): void {
  const target = slots + Math.min(450, Math.ceil(perMs * aheadMs));
  const missing = target - busy - waiting.length - asked;
  const isDue = missing >= Math.max(1, target / 2) || (busy === 0 && waiting.length === 0 && trips === 0);
  if (trips < 2 && (stopping ? ended.length > 0 && trips === 0 : isDue)) void travel(stopping ? 0 : missing);
}

async function travel(limit: number): Promise<void> {
  const ends = ended;
  ended = [];
  asked += limit;
  trips += 1;
  const taken = await claims.exchange(ends, limit);
  asked -= limit;
  trips -= 1;
  waiting = waiting.length === 0 ? taken.toReversed() : [...taken.toReversed(), ...waiting];
  if (taken.length === 0 && !stopping) await delay(1);
  for (let free = Math.min(slots - busy, waiting.length); free > 0; free -= 1) void occupySlot();
  pump();
}

let countedAtMs = performance.now();
let countedJobs = 0;
const rate = setInterval(() => {
  const nowMs = performance.now();
  perMs = (finished - countedJobs) / (nowMs - countedAtMs);
  [countedAtMs, countedJobs] = [nowMs, finished];
}, 10);

process.once('SIGTERM', async () => {
  stopping = true;
  clearInterval(rate);
  pump();
  while (busy + trips + ended.length > 0) await delay(1);
  await claims.close();
});
pump();
