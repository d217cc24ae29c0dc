/** What a mixed run has to do: jobs of many kinds, from a producer in TypeScript and one in Ruby, as fast as they are done. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { JsonValue } from '@tsq/core';
import type { Seeded } from '@tsq/core/test-support/outside-jest';
import { historyVariable } from '../history/history-writer.js';
import type { EnqueueSettings, Producer } from '../stage/producer.js';

/** What a careless server would change on the way. */
const ballast: readonly JsonValue[] = [0.1, 1e20, 2n ** 70n, 'é<&>"\u2028', { b: [], '10': { a: null } }];

interface JobKind {
  readonly name: string;
  readonly weight: number;
  args(random: Seeded): readonly JsonValue[];
  readonly settings?: EnqueueSettings;
}

const short = (random: Seeded) => [5 + random.below(150)];
const kinds: readonly JobKind[] = [
  { name: 'Chaos::Tracked', weight: 30, args: short },
  { name: 'Chaos::Untracked', weight: 28, args: short },
  { name: 'Chaos::Untracked', weight: 5, args: short, settings: { tracked: true } },
  { name: 'Chaos::Tracked', weight: 3, args: (random) => [1_000 + random.below(5_000)] },
  { name: 'Chaos::Heeding', weight: 6, args: (random) => [100 + random.below(4_000)] },
  { name: 'Chaos::Failing', weight: 8, args: (random) => [random.below(50), 1 + random.below(2)] },
  { name: 'Chaos::FailingUntracked', weight: 6, args: (random) => [random.below(50), 1] },
  { name: 'Chaos::Busy', weight: 4, args: (random) => [5 + random.below(60)] },
  { name: 'Chaos::Blocking', weight: 2, args: (random) => [random.below(100)] },
];
const bag = kinds.flatMap((kind) => Array<JobKind>(kind.weight).fill(kind));

const roundMs = 100;
/** Beyond so many waiting jobs nothing is added: a run is to be drained soon. */
const mostWaiting = 300;

export interface WorkloadSettings {
  readonly jobsPerSecond: number;
  readonly redisUrl: string;
  readonly historyFolder: string;
  readonly random: Seeded;
  /** How many jobs wait; undefined when nobody knows. */
  readonly waiting: () => Promise<number | undefined>;
}

export class Workload {
  private readonly ruby: ChildProcess | undefined;

  constructor(
    private readonly producer: Producer,
    private readonly settings: WorkloadSettings,
  ) {
    this.ruby = this.startRuby();
  }

  get hasRuby(): boolean {
    return this.ruby !== undefined;
  }

  /** Until `end` fires; then every push has its line in the history. */
  async run(end: AbortSignal): Promise<void> {
    const { jobsPerSecond, waiting } = this.settings;
    const count = Math.ceil((jobsPerSecond * roundMs) / 1_000);
    while (!end.aborted) {
      const isFull = ((await waiting()) ?? 0) > mostWaiting || this.producer.lastOutcome === 'unknown';
      if (this.producer.lastOutcome === 'unknown') await this.push(); // one tries whether Redis is there again
      // A third of them is Ruby's.
      const rubys = this.ruby === undefined ? 0 : Math.floor(count / 3);
      if (!isFull) {
        this.ruby?.stdin?.write(`${rubys}\n`);
        await Promise.all(Array.from({ length: count - rubys }, () => this.push()));
      }
      await delay(roundMs);
    }
    await this.endRuby();
  }

  private async push(): Promise<void> {
    const { random } = this.settings;
    const { name, args, settings = {} } = random.pick(bag);
    const due = random.next() < 0.15 ? { delaySeconds: random.next() * 3 } : {};
    await this.producer.enqueue(name, [...args(random), ...ballast], { ...settings, ...due });
  }

  private startRuby(): ChildProcess | undefined {
    if (spawnSync('ruby', ['-e', 'require "sidekiq"']).status !== 0) return undefined;
    const script = fileURLToPath(new URL('../../ruby/producer.rb', import.meta.url));
    const { redisUrl, historyFolder, random } = this.settings;
    const env = { ...process.env, REDIS_URL: redisUrl, [historyVariable]: historyFolder };
    return spawn('ruby', [script, String(random.below(2 ** 31))], {
      env,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
  }

  private async endRuby(): Promise<void> {
    const { ruby } = this;
    if (ruby === undefined || ruby.exitCode !== null) return;
    const gone = once(ruby, 'exit');
    ruby.stdin?.end();
    await gone;
  }
}
