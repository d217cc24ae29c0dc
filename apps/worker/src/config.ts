/**
 * Flags over environment over file become one Config here: one strict schema, one typed object. What reads a setting
 * takes it from the Config; nothing else knows where it came from.
 */
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { z } from 'zod';

/** `critical`, `critical,2` and `[critical, 2]`, as Sidekiq's flag and file write it, or the map itself. */
const QueueSetting = z.preprocess(
  toQueue,
  z.strictObject({
    name: z.string().regex(/^[^\s,*]+$/, 'Invalid queue name: expected no space, comma or asterisk'),
    weight: z.int().min(0).max(1000).default(0),
  }),
);

const seconds = (longest = 86_400) => z.number().positive().max(longest);

const Heartbeat = z
  .strictObject({
    intervalSeconds: seconds().default(30),
    ttlSeconds: z.int().min(2).max(86_400).default(90),
  })
  .refine(({ intervalSeconds, ttlSeconds }) => ttlSeconds >= 2 * intervalSeconds, {
    path: ['ttlSeconds'],
    error: 'Too small: expected two heartbeat.intervalSeconds or more, or one late beat is taken for a death',
  });

export const Config = z.strictObject({
  redisUrl: z
    .string()
    .refine(isRedisUrl, { error: 'Invalid URL: expected redis://, rediss:// or unix://' })
    .default('redis://localhost:6379/0'),
  environment: z.string().min(1).default('development'),
  require: z.array(z.string().min(1)).default([]),
  queues: z.array(QueueSetting).min(1).prefault(['default']),
  concurrency: z.int().min(1).max(1000).default(10),
  /** How long a stop waits for running jobs before it requeues them. */
  timeoutSeconds: z.number().min(0).max(86_400).default(25),
  tag: z.string().default(() => basename(process.cwd())),
  labels: z.array(z.string()).default([]),
  hostName: z.string().min(1).default(hostname),
  failFast: z.boolean().default(false),
  maxRetries: z.int().min(0).default(25),
  dead: z
    .strictObject({
      maxJobs: z.int().min(1).default(10_000),
      timeoutSeconds: z.int().min(1).default(15_552_000),
    })
    .prefault({}),
  dialect: z.enum(['seconds', 'milliseconds']).default('seconds'),
  namespace: z
    .string()
    .regex(/^[\w.:-]+$/, 'Invalid namespace: expected letters, digits and _ . : -')
    .default('tsq'),
  tracked: z.enum(['opt-in', 'all']).default('opt-in'),
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
  /** How often the process shows itself to Sidekiq's pages, and looks for signals from there. */
  beatIntervalSeconds: seconds(50).default(10),
  heartbeat: Heartbeat.prefault({}),
  recovery: z
    .strictObject({
      intervalSeconds: seconds().default(30),
      lockTtlSeconds: z.int().min(1).max(86_400).default(300),
      startDelaySeconds: z.number().min(0).max(86_400).default(5),
      /** Between two looks at the others' connections; 0: none, only heartbeats tell who is dead. */
      watchIntervalSeconds: z
        .number()
        .max(60)
        .refine((interval) => interval === 0 || interval >= 0.5, {
          error: 'Too small: expected 0.5 or more, or 0 for no looks at all',
        })
        .default(1.5),
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

export type Config = Readonly<z.infer<typeof Config>>;

function toQueue(given: unknown): unknown {
  const [name, weight] =
    typeof given === 'string' ? splitWeight(given) : Array.isArray(given) ? given : [given, undefined];
  if (typeof name !== 'string') return name;
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

function isRedisUrl(text: string): boolean {
  return URL.canParse(text) && /^(rediss?|unix):$/.test(new URL(text).protocol);
}
