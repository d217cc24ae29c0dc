/**
 * What each setting is called from outside: one row for each leaf of the Config. Flags, the TSQ_* variables and the
 * tables of the README all come from here, so none of them can know a setting that the others lack (settings.test.ts).
 */
import type { Config } from './config.js';

type LeafPath<T> = {
  [K in keyof T & string]: NonNullable<T[K]> extends string | number | boolean | readonly unknown[]
    ? K
    : string extends keyof NonNullable<T[K]>
      ? K // a map whose keys the user chooses
      : `${K}.${LeafPath<NonNullable<T[K]>>}`;
}[keyof T & string];

/** `concurrency`, `heartbeat.ttlSeconds`, ... */
export type SettingPath = LeafPath<Config>;

export interface Flag {
  /** As commander reads it: `-c, --concurrency <jobs>`. */
  readonly form: string;
  /** For a flag without an argument: the value that it sets. */
  readonly sets?: string | boolean;
  /** Where the setting's own does not fit. */
  readonly about?: string;
}

export interface Setting {
  readonly path: SettingPath;
  /**
   * How text becomes a value: from a flag, which may come again for a list, or a variable, where spaces part a list. A map
   * stands in the file only.
   */
  readonly takes: 'text' | 'number' | 'switch' | 'list' | 'map';
  readonly flags: readonly Flag[];
  readonly about: string;
}

const shown: readonly Setting[] = [
  {
    path: 'require',
    takes: 'list',
    flags: [{ form: '-r, --require <path>' }],
    about: 'worker file, folder or glob; repeatable',
  },
  {
    path: 'queues',
    takes: 'list',
    flags: [{ form: '-q, --queue <name[,weight]>' }],
    about: 'queue to work on, with its weight; repeatable',
  },
  {
    path: 'concurrency',
    takes: 'number',
    flags: [{ form: '-c, --concurrency <jobs>' }],
    about: 'jobs that run at once',
  },
  // No flag and no variable: a list of queues for each of several names is no line of text.
  { path: 'capsules', takes: 'map', flags: [], about: 'more sets of slots, with queues of their own' },
  {
    path: 'timeoutSeconds',
    takes: 'number',
    flags: [{ form: '-t, --timeout <seconds>' }],
    about: 'how long a stop waits for running jobs',
  },
  {
    path: 'environment',
    takes: 'text',
    flags: [{ form: '-e, --environment <name>' }],
    about: 'selects a section of sidekiq.yml; production logs JSON',
  },
  { path: 'tag', takes: 'text', flags: [{ form: '-g, --tag <tag>' }], about: 'shown beside the process' },
  { path: 'labels', takes: 'list', flags: [{ form: '--label <label>' }], about: 'shown too; repeatable' },
  {
    path: 'failFast',
    takes: 'switch',
    flags: [{ form: '--fail-fast', sets: true }],
    about: 'exit when Redis is away at the start, instead of trying on',
  },
  {
    path: 'log.level',
    takes: 'text',
    flags: [
      { form: '--log-level <level>' },
      { form: '-v, --verbose', sets: 'debug', about: 'the same as --log-level debug' },
    ],
    about: 'debug, info, warn or error',
  },
  {
    path: 'log.format',
    takes: 'text',
    flags: [{ form: '--log-format <format>' }],
    about: 'auto, json or pretty',
  },
  {
    path: 'log.jobs',
    takes: 'switch',
    flags: [{ form: '--no-job-logging', sets: false, about: 'no line at the start and the end of each job' }],
    about: 'a line at the start and the end of each job',
  },
  // No flag: a password on a command line is readable by every user of the machine.
  { path: 'redisUrl', takes: 'text', flags: [], about: 'redis://, rediss:// or unix://' },
  {
    path: 'sentinel.nodes',
    takes: 'list',
    flags: [{ form: '--sentinel <host:port>' }],
    about: 'a sentinel, which knows where the primary is; repeatable',
  },
  {
    path: 'sentinel.master',
    takes: 'text',
    flags: [{ form: '--sentinel-master <name>' }],
    about: 'what the sentinels call the primary: mymaster',
  },
  {
    path: 'sentinel.username',
    takes: 'text',
    flags: [],
    about: 'for the login to the sentinels, where they ask for one',
  },
  // No flag, as for redisUrl.
  { path: 'sentinel.password', takes: 'text', flags: [], about: 'of the sentinels, not of the server' },
  // No flag: it is the machine's name, and differs only where a platform says so.
  { path: 'hostName', takes: 'text', flags: [], about: "first part of the process' identity" },
];

const tuning: readonly Setting[] = [
  {
    path: 'tracked',
    takes: 'text',
    flags: [{ form: '--tracked <which>' }],
    about: "opt-in: the workers with tracked: true; all: every worker's jobs survive kill -9",
  },
  {
    path: 'trackedQueues',
    takes: 'list',
    flags: [{ form: '--tracked-queue <name>' }],
    about: 'queue whose jobs are tracked, where they and their classes say nothing; repeatable',
  },
  {
    path: 'onlyKnown',
    takes: 'switch',
    flags: [{ form: '--only-known', sets: true }],
    about: 'take only jobs of the classes that were loaded, and leave the others to Ruby',
  },
  {
    path: 'lookPast',
    takes: 'number',
    flags: [{ form: '--look-past <jobs>' }],
    about: 'with --only-known: how many jobs of other classes a claim looks past in a queue',
  },
  {
    path: 'foreignFeatures',
    takes: 'text',
    flags: [{ form: '--foreign-features <what>' }],
    about: 'jobs with bid, encrypt or unique_for, of Sidekiq Pro and Enterprise: refuse or run',
  },
  {
    path: 'namespace',
    takes: 'text',
    flags: [{ form: '--namespace <name>' }],
    about: "prefix of the tracker's own keys",
  },
  {
    path: 'dialect',
    takes: 'text',
    flags: [{ form: '--dialect <dialect>' }],
    about: 'how timestamps are written: seconds, or milliseconds for a fleet wholly on Sidekiq 8',
  },
  {
    path: 'claimAheadMs',
    takes: 'number',
    flags: [{ form: '--claim-ahead <ms>' }],
    about: 'claim ahead what ends within so many milliseconds; 0: nothing',
  },
  {
    path: 'profile',
    takes: 'text',
    flags: [{ form: '--profile <name>' }],
    about: 'times of heartbeat and recovery: normal, critical or high-churn; each can be set alone, and wins',
  },
  {
    path: 'heartbeat.intervalSeconds',
    takes: 'number',
    flags: [{ form: '--heartbeat-interval <seconds>' }],
    about: 'how often the instance says that it lives',
  },
  {
    path: 'heartbeat.ttlSeconds',
    takes: 'number',
    flags: [{ form: '--heartbeat-ttl <seconds>' }],
    about: 'silence after which it counts as dead',
  },
  {
    path: 'heartbeat.stallTimeoutSeconds',
    takes: 'number',
    flags: [{ form: '--stall-timeout <seconds>' }],
    about:
      'an event loop that does not turn for so long has the beats end, so that others recover the jobs; 0: never',
  },
  {
    path: 'recovery.intervalSeconds',
    takes: 'number',
    flags: [{ form: '--recovery-interval <seconds>' }],
    about: 'how often orphans are looked for',
  },
  {
    path: 'recovery.lockTtlSeconds',
    takes: 'number',
    flags: [{ form: '--recovery-lock-ttl <seconds>' }],
    about: 'how long one recoverer keeps the others away',
  },
  {
    path: 'recovery.startDelaySeconds',
    takes: 'number',
    flags: [{ form: '--recovery-start-delay <seconds>' }],
    about: 'from the start to the first look',
  },
  {
    path: 'recovery.watchIntervalSeconds',
    takes: 'number',
    flags: [{ form: '--recovery-watch-interval <seconds>' }],
    about: "how often the others' connections are looked at, to find a killed process within 5 s; 0: never",
  },
  {
    path: 'recovery.gemScanIntervalSeconds',
    takes: 'number',
    flags: [{ form: '--recovery-gem-scan-interval <seconds>' }],
    about:
      "how often dead instances of the tracker gem are looked for; 0: never; default 60 in the gem's namespace",
  },
  {
    path: 'recovery.gemGraceSeconds',
    takes: 'number',
    flags: [{ form: '--recovery-gem-grace <seconds>' }],
    about: 'how long an instance of the gem must be without a heartbeat before its jobs are put back',
  },
  {
    path: 'recovery.position',
    takes: 'text',
    flags: [{ form: '--recovery-position <where>' }],
    about: 'where the jobs of a dead instance join their queue: next to be fetched, or last',
  },
  {
    path: 'poll.intervalSeconds',
    takes: 'number',
    flags: [{ form: '--poll-interval <seconds>' }],
    about: 'how often a fleet looks for scheduled jobs and retries that are due',
  },
  {
    path: 'poll.averageSeconds',
    takes: 'number',
    flags: [{ form: '--poll-average <seconds>' }],
    about: "the same for this process alone, whatever the fleet's size",
  },
  {
    path: 'hidden',
    takes: 'switch',
    flags: [{ form: '--hidden', sets: true }],
    about: "leave no trace on Sidekiq's pages: no process, no counts, no metrics, no signals from there",
  },
  {
    path: 'beatIntervalSeconds',
    takes: 'number',
    flags: [{ form: '--beat-interval <seconds>' }],
    about: "how often Sidekiq's pages see news of the process",
  },
  {
    path: 'showToOldReaders',
    takes: 'switch',
    flags: [
      { form: '--no-old-readers', sets: false, about: "don't show what runs to Sidekiq's pages up to 6.4.1" },
    ],
    about: "show what runs to Sidekiq's pages up to 6.4.1 too, which look under another key",
  },
  {
    path: 'metrics',
    takes: 'text',
    flags: [{ form: '--metrics <form>' }],
    about: 'whose Metrics page shows the jobs: sidekiq7, sidekiq8, both or off',
  },
  {
    path: 'maxIterationRuntimeSeconds',
    takes: 'number',
    flags: [{ form: '--max-iteration-runtime <seconds>' }],
    about: 'after so long a job that iterates makes room for others, to go on later',
  },
  {
    path: 'maxRetries',
    takes: 'number',
    flags: [{ form: '--max-retries <retries>' }],
    about: 'of workers with retry: true',
  },
  {
    path: 'retryForRule',
    takes: 'text',
    flags: [{ form: '--retry-for-rule <rule>' }],
    about: 'what ends the retries of a job with retry_for: time, or time-or-count as up to Sidekiq 8.0',
  },
  {
    path: 'bigIntegers',
    takes: 'text',
    flags: [{ form: '--big-integers <form>' }],
    about: 'how integers beyond 2^53 arrive in args: bigint or string',
  },
  {
    path: 'dead.maxJobs',
    takes: 'number',
    flags: [{ form: '--dead-max-jobs <jobs>' }],
    about: 'size of the dead set',
  },
  {
    path: 'dead.timeoutSeconds',
    takes: 'number',
    flags: [{ form: '--dead-timeout <seconds>' }],
    about: 'how long the dead set keeps a job',
  },
];

export const settings: readonly Setting[] = [...shown, ...tuning];

/** `heartbeat.ttlSeconds` -> `TSQ_HEARTBEAT_TTL_SECONDS` */
export function variableOf(path: SettingPath): string {
  return `TSQ_${path
    .replaceAll('.', '_')
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .toUpperCase()}`;
}

/** What the schema judges: text stays text where it is no number, so that the message can quote it. */
export function numberOrText(text: string): number | string {
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
}
