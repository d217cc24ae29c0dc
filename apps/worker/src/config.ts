/**
 * Flags over environment over file become one Config here: one strict schema, one typed object. What reads a setting
 * takes it from the Config; nothing else knows where it came from. A message that stands here says what is expected, as the
 * object of that word (expectation.ts).
 */
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { isRedisUrl, isSentinelNode, redisUrlRule, sentinelNodeRule } from '@tsq/core';
import { z } from 'zod';
import { profileNames, tuned } from './tuned.js';

const QueueName = z
  .string()
  .regex(/^[^\s,*]+$/, 'a name without space, comma and asterisk')
  .regex(/^(?!sq\|)/, 'a queue, and no private list of a Sidekiq Pro process (sq|…)');

/** `critical`, `critical,2` and `[critical, 2]`, as Sidekiq's flag and file write it, or the map itself. */
const QueueSetting = z.preprocess(
  toQueue,
  z.strictObject({
    name: QueueName,
    weight: z.int().min(0).max(1000).default(0),
  }),
);

const seconds = (longest = 86_400) => z.number().positive().max(longest);

const Queues = z.array(QueueSetting).min(1);
const concurrency = z.int().min(1).max(1000);

/** Sidekiq 7's: a set of slots with queues of its own, beside that of the top level. */
const Capsule = z.strictObject({ concurrency, queues: Queues });

const CapsuleName = z.string().regex(/^(?!default$)[^\s.]+$/, {
  error:
    'a name without space and dot, and not "default": that capsule is queues and concurrency of the top level',
});

/** Who knows which of several servers is the primary. Both or none: nodes without a name, or a name alone, find nothing. */
const Sentinel = z.strictObject({
  nodes: z
    .array(z.string().refine(isSentinelNode, { error: sentinelNodeRule }), {
      error: `a list with ${sentinelNodeRule}, beside sentinel.master`,
    })
    .min(1),
  master: z
    .string({ error: 'what the sentinels call the primary, such as mymaster, beside sentinel.nodes' })
    .min(1),
  username: z.string().min(1).optional(),
  password: z.string().min(1).optional(),
});

const Settings = z.strictObject({
  redisUrl: z.string().refine(isRedisUrl, { error: redisUrlRule }).default('redis://localhost:6379/0'),
  /** With it, only login, database and TLS of `redisUrl` count. */
  sentinel: Sentinel.optional(),
  environment: z.string().min(1).default('development'),
  require: z.array(z.string().min(1)).default([]),
  queues: Queues.prefault(['default']),
  concurrency: concurrency.default(10),
  capsules: z.record(CapsuleName, Capsule).default({}),
  /** How long a stop waits for running jobs before it requeues them. */
  timeoutSeconds: z.number().min(0).max(86_400).default(25),
  tag: z.string().default(() => basename(process.cwd())),
  labels: z.array(z.string()).default([]),
  hostName: z.string().min(1).default(hostname),
  failFast: z.boolean().default(false),
  /** Of jobs that iterate: after so long a run makes room for others. */
  maxIterationRuntimeSeconds: seconds(31_536_000).optional(),
  maxRetries: z.int().min(0).default(25),
  /** What ends the retries of a job with `retry_for`: `time` as in Sidekiq 8.1, `time-or-count` as in 7.1.3 to 8.0. */
  retryForRule: z.enum(['time', 'time-or-count']).default('time'),
  /** How integers beyond 2^53 arrive in `args`. */
  bigIntegers: z.enum(['bigint', 'string']).default('bigint'),
  dead: z
    .strictObject({
      maxJobs: z.int().min(1).default(10_000),
      timeoutSeconds: z.int().min(1).default(15_552_000),
    })
    .prefault({}),
  dialect: z.enum(['seconds', 'milliseconds']).default('seconds'),
  namespace: z
    .string()
    .regex(/^[\w.:-]+$/, 'letters, digits and _ . : -')
    .default('tsq'),
  tracked: z.enum(['opt-in', 'all']).default('opt-in'),
  /** The jobs of these queues are tracked, where neither the job nor its class nor a predicate says anything. */
  trackedQueues: z.array(QueueName).default([]),
  /** Take only jobs of the classes that were loaded; the others stay for who else works on the queues. */
  onlyKnown: z.boolean().default(false),
  /** With `onlyKnown`: in each queue a claim looks past so many jobs of other classes. */
  lookPast: z.int().min(1).max(10_000).default(1_000),
  /** Jobs with `bid`, `encrypt` or `unique_for`, which only Sidekiq Pro or Enterprise can serve. */
  foreignFeatures: z.enum(['refuse', 'run']).default('refuse'),
  /** Beyond the free slots, so many jobs are claimed as end within this time; 0: none. */
  claimAheadMs: z.number().min(0).max(1000).default(2),
  poll: z
    .strictObject({
      /** Of one process: a fleet of n asks n times as rarely each. */
      intervalSeconds: seconds().default(5),
      /** Of this process, whatever the fleet's size; overrides the other. */
      averageSeconds: seconds().optional(),
    })
    .prefault({}),
  /** The process is not shown on Sidekiq's pages, and adds nothing to their counts: for drills and trial runs. */
  hidden: z.boolean().default(false),
  /** How often the process shows itself to Sidekiq's pages, and looks for signals from there. */
  beatIntervalSeconds: seconds(50).default(10),
  /** What runs is shown under a key of its own to Sidekiq's pages up to 6.4.1. */
  showToOldReaders: z.boolean().default(true),
  /** Whose Metrics page shows this process' jobs. */
  metrics: z.enum(['sidekiq7', 'sidekiq8', 'both', 'off']).default('both'),
  /** Sets what is left out in `heartbeat` and `recovery`: tuned.ts. */
  profile: z.enum(profileNames).default('normal'),
  heartbeat: z
    .strictObject({
      intervalSeconds: seconds().optional(),
      ttlSeconds: z.int().min(2).max(86_400).optional(),
      /** The event loop stands still for so long, and the beats end; 0: never. */
      stallTimeoutSeconds: z.number().min(0).max(86_400).default(0),
    })
    .prefault({}),
  recovery: z
    .strictObject({
      intervalSeconds: seconds().optional(),
      lockTtlSeconds: z.int().min(1).max(86_400).optional(),
      startDelaySeconds: z.number().min(0).max(86_400).optional(),
      /** Between two looks at the others' connections; 0: none, only heartbeats tell who is dead. */
      watchIntervalSeconds: z
        .number()
        .max(60)
        .refine((interval) => interval === 0 || interval >= 0.5, {
          error: 'Too small: expected 0.5 or more, or 0 for no looks at all',
        })
        .default(1.5),
      /** Between two looks for instances of the tracker gem; 0: none. Default 60 in a namespace of the gem's, else 0. */
      gemScanIntervalSeconds: z.number().min(0).max(86_400).optional(),
      /** For so long an instance of the gem must be seen without a heartbeat before it is taken for dead. */
      gemGraceSeconds: z.number().min(0).max(86_400).default(30),
      /** Where the jobs of a dead instance join their queue: `next` to be fetched, or behind all that waits. */
      position: z.enum(['next', 'last']).default('next'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
      /** `auto`: pretty on a terminal outside of production, else JSON. */
      format: z.enum(['auto', 'json', 'pretty']).default('auto'),
      /** One line at the start and one at the end of each job. */
      jobs: z.boolean().default(true),
    })
    .prefault({}),
});

export const Config = Settings.transform(tuned).superRefine(({ profile, heartbeat, recovery }, context) => {
  const { intervalSeconds, ttlSeconds } = heartbeat;
  const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  if (ttlSeconds < 2 * intervalSeconds) {
    const rule = 'two heartbeat.intervalSeconds or more, or one late beat is taken for a death';
    const given = `with profile ${profile} it is ${ttlSeconds}, and the interval ${intervalSeconds}`;
    refuse(['heartbeat', 'ttlSeconds'], `${rule} (${given})`);
  }
  if (recovery.watchIntervalSeconds >= ttlSeconds) {
    const rule =
      'less than heartbeat.ttlSeconds, which finds the dead in that time by itself, or 0 for no looks';
    refuse(
      ['recovery', 'watchIntervalSeconds'],
      `${rule} (with profile ${profile} the TTL is ${ttlSeconds})`,
    );
  }
});

export type Config = Readonly<z.infer<typeof Config>>;

function toQueue(given: unknown): unknown {
  const [name, weight, ...rest] =
    typeof given === 'string' ? splitWeight(given) : Array.isArray(given) ? given : [given, undefined];
  if (typeof name !== 'string' || rest.length > 0) return name;
  return weight === undefined ? { name } : { name, weight };
}

function splitWeight(text: string): readonly unknown[] {
  const [name, weight, ...rest] = text.split(',');
  if (rest.length > 0) return [text]; // refused by the name's pattern, which says what is expected
  return [
    name,
    weight === undefined || weight.trim() === '' || Number.isNaN(Number(weight)) ? weight : Number(weight),
  ];
}
